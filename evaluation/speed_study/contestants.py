"""Who takes part: the engine in its precisions, and its peers over the same files."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from gigastt_lab.models.files import ENCODER_NAMES, PREFIX, VOCABULARY_NAME, Precision
from gigastt_lab.models.registry import CONFIG_NAME
from gigastt_lab.runtime.sessions import available_providers

Kind = Literal["engine", "onnx-asr", "gigastt", "kairos-asr"]

PRELOAD_VARIABLE: Final = "GIGASTT_SPEED_PRELOAD"
"""Names a library that gigastt's wheel is to find preloaded, where glibc is older than it wants."""

PACKAGES: Final[dict[Kind, tuple[str, str]]] = {
    "onnx-asr": ("onnx_asr", "onnx-asr"),
    "gigastt": ("gigastt_uniffi", "gigastt"),
    "kairos-asr": ("kairos_asr", "kairos-asr"),
}
"""Of each peer, the module to import and the distribution to install."""

_PREDICTOR, _JOINER = f"{PREFIX}_decoder.onnx", f"{PREFIX}_joint.onnx"
_FP32, _INT8 = (ENCODER_NAMES[precision][0] for precision in ("fp32", "int8"))

# gigastt takes a vocabulary other than the official one only under names that a manifest gives.
_MANIFEST: Final = """architecture = "e2e_rnnt"

[files]
encoder = "other_encoder.onnx"
encoder_int8 = "other_encoder_int8.onnx"
decoder = "other_decoder.onnx"
joint = "other_joint.onnx"
vocab = "other_vocab.txt"
"""


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One of those that are measured.

    Attributes:
        label: Its name in tables and plots.
        kind: Which program.
        directory: With the model's files as this program wants them.
        precision: Of the encoder.
        threads: Threads inside one operator, where it can be told; else the cores that it may use.
        model: Name of the model; for the engine.
        provider: Execution provider; for the engine.
        environment: Variables that its process gets.
        note: What is peculiar to it, for people.
        missing: Why it cannot even be started; None of one that can.
    """

    label: str
    kind: Kind
    directory: Path
    precision: Precision
    threads: int
    model: str = "demo"
    provider: str = "cpu"
    environment: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    missing: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is this package's engine."""
        return self.kind == "engine"

    @property
    def spec(self) -> dict[str, Any]:
        """What its process is told."""
        return {
            "kind": self.kind,
            "model": self.model,
            "directory": str(self.directory),
            "precision": self.precision,
            "provider": self.provider,
            "threads": self.threads,
        }


@dataclass(frozen=True)
class Also:
    """Another directory for the engine: the same model by another recipe, say."""

    label: str
    directory: Path
    precision: Precision = "int8"


def our_contestants(model: str, directory: Path, threads: int, also: Sequence[Also] = ()) -> list[Contestant]:
    """The engine in INT8, which comes first, and FP32; on OpenVINO where ONNX Runtime has it; and `also`."""
    int8 = Contestant(
        label="ours INT8", kind="engine", directory=directory, precision="int8", threads=threads, model=model
    )
    fp32 = replace(int8, label="ours FP32", precision="fp32")
    others = [
        replace(int8, label=f"ours {each.label}", directory=each.directory, precision=each.precision)
        for each in also
    ]
    on_openvino = [
        replace(each, label=f"{each.label}, OpenVINO", provider="openvino", note="threads: its own choice")
        for each in (int8, fp32)
        if "openvino" in available_providers()
    ]
    return [int8, fp32, *others, *on_openvino]


def peer_contestants(
    directory: Path, threads: int, folder: Path, *, gigastt_preload: str | None = None
) -> list[Contestant]:
    """The peers, installed or not, over the files of `directory`.

    Args:
        directory: Of the model.
        threads: As the engine's.
        folder: A new one, to hold directories of links as each peer wants them.
        gigastt_preload: A library to preload for gigastt's wheel; None: `PRELOAD_VARIABLE` names it, if any.
    """
    preload = gigastt_preload or os.environ.get(PRELOAD_VARIABLE)
    onnx_asr = Contestant(
        label="onnx-asr FP32", kind="onnx-asr", directory=directory, precision="fp32", threads=threads
    )
    found = [
        onnx_asr,
        replace(
            onnx_asr,
            label="onnx-asr, same INT8 encoder",
            directory=_for_onnx_asr_int8(directory, folder / "onnx-asr"),
            precision="int8",
        ),
        Contestant(
            label="gigastt, same INT8 encoder",
            kind="gigastt",
            directory=_for_gigastt(directory, folder / "gigastt"),
            precision="int8",
            threads=threads,
            environment={"LD_PRELOAD": preload} if preload else {},
            note="threads: its own choice",
        ),
        Contestant(
            label="kairos-asr FP32",
            kind="kairos-asr",
            directory=folder / "kairos-asr",
            precision="fp32",
            threads=threads,
            note="threads: its own choice; cuts by silero-vad, reads by ffmpeg",
        ),
    ]
    found = [replace(each, missing=_why_missing(each.kind)) for each in found]
    if found[-1].missing is None:
        found[-1] = _with_kairos_files(found[-1], directory)
    return found


def _why_missing(kind: Kind) -> str | None:
    module, distribution = PACKAGES[kind]
    if importlib.util.find_spec(module) is not None:
        return None
    return f"not installed: pip install {distribution}"


def _for_onnx_asr_int8(source: Path, target: Path) -> Path:
    """onnx-asr wants all three graphs under names of INT8; predictor and joiner are FP32 in truth."""
    names = {
        f"{PREFIX}_encoder.int8.onnx": _INT8,
        f"{PREFIX}_decoder.int8.onnx": _PREDICTOR,
        f"{PREFIX}_joint.int8.onnx": _JOINER,
        VOCABULARY_NAME: VOCABULARY_NAME,
        CONFIG_NAME: CONFIG_NAME,
    }
    return linked(source, target, names)


def _for_gigastt(source: Path, target: Path) -> Path:
    names = {
        "other_encoder.onnx": _FP32,
        "other_encoder_int8.onnx": _INT8,
        "other_decoder.onnx": _PREDICTOR,
        "other_joint.onnx": _JOINER,
        "other_vocab.txt": VOCABULARY_NAME,
    }
    linked(source, target, names)
    (target / "manifest.toml").write_text(_MANIFEST, encoding="utf-8")
    return target


def _with_kairos_files(contestant: Contestant, source: Path) -> Contestant:
    """kairos-asr wants names of its own, and the vocabulary as a model of sentencepiece."""
    names = {
        "kairos_asr_encoder.onnx": _FP32,
        "kairos_asr_decoder.onnx": _PREDICTOR,
        "kairos_asr_joint.onnx": _JOINER,
    }
    linked(source, contestant.directory, names)
    try:
        content = _sentencepiece_of(source / VOCABULARY_NAME)
    except (ImportError, OSError, ValueError) as error:
        return replace(contestant, missing=f"its tokenizer cannot be made: {error}")
    (contestant.directory / "kairos_asr_tokenizer.model").write_bytes(content)
    return contestant


def _sentencepiece_of(vocabulary: Path) -> bytes:
    """A model of sentencepiece with the pieces of a vocabulary; the blank, its last line, is left out."""
    messages = importlib.import_module("sentencepiece.sentencepiece_model_pb2")  # comes with kairos-asr
    lines = vocabulary.read_text(encoding="utf-8").splitlines()
    model = messages.ModelProto()
    for number, line in enumerate(lines[:-1]):
        piece = model.pieces.add(piece=line.rpartition(" ")[0], score=-float(number))
        piece.type = piece.NORMAL if number else piece.UNKNOWN  # there has to be one
    model.normalizer_spec.name = "identity"
    content: bytes = model.SerializeToString()
    return content


def linked(source: Path, target: Path, names: Mapping[str, str]) -> Path:
    """A directory of links: new name to old one; files that are not there are left out."""
    target.mkdir(parents=True)
    for new, old in names.items():
        path = (source / old).resolve()
        if path.is_file():
            (target / new).symlink_to(path)
    return target
