"""The files of one model directory: which graph is which, and in which precision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from gigastt_lab.errors import ModelError, ModelNotFoundError

PREFIX = "v3_e2e_rnnt"
LOCK_NAME = ".download.lock"  # whoever writes into a model directory holds it; gigastt uses the same file

Precision = Literal["fp32", "int8"]
PrecisionChoice = Literal["auto", "fp32", "int8"]

_NAMES: dict[str, dict[Precision, tuple[str, ...]]] = {
    # gigastt writes `_int8.onnx`, the Hub repository holds `.int8.onnx`; onnx-asr reads both.
    graph: {
        "fp32": (f"{PREFIX}_{graph}.onnx",),
        "int8": (f"{PREFIX}_{graph}_int8.onnx", f"{PREFIX}_{graph}.int8.onnx"),
    }
    for graph in ("encoder", "decoder", "joint")
}
VOCABULARY_NAME = f"{PREFIX}_vocab.txt"
ENCODER_NAMES = _NAMES["encoder"]  # those of either precision; the first is the one that we write


@dataclass(frozen=True)
class ModelFiles:
    """Paths of the parts of a model.

    Attributes:
        encoder: The encoder's graph, in `precision`.
        predictor: The predictor's graph (on disk: ``decoder``).
        joiner: The joiner's graph (on disk: ``joint``).
        vocabulary: The lines ``piece id``.
        precision: Precision of the encoder.
    """

    encoder: Path
    predictor: Path
    joiner: Path
    vocabulary: Path
    precision: Precision

    @classmethod
    def find(
        cls, directory: str | Path, precision: PrecisionChoice = "auto", *, preferred: Precision = "int8"
    ) -> ModelFiles:
        """The files of `directory`, as gigastt, the Hub repository or onnx-asr lay them out.

        Args:
            directory: Model directory.
            precision: Precision of the encoder; "auto" takes the `preferred` one, or the other where only
                that is there. Predictor and joiner are small: FP32 is taken where there is one; an INT8 one
                where there is no other, unless `precision` is "fp32".
            preferred: Precision that "auto" prefers; INT8 as gigastt does, on a CPU.

        Raises:
            ModelError: `precision` is not known.
            ModelNotFoundError: there is no such directory, or files are missing: the message lists them.
        """
        if precision not in get_args(PrecisionChoice):
            known = ", ".join(get_args(PrecisionChoice))
            raise ModelError(f"precision {precision!r} is not known; choose one of {known}")
        directory = Path(directory)
        if not directory.is_dir():
            raise ModelNotFoundError(f"{directory}: no such model directory; download the model first")
        encoder_order: dict[PrecisionChoice, tuple[Precision, ...]] = {
            "auto": ("int8", "fp32") if preferred == "int8" else ("fp32", "int8"),
            "fp32": ("fp32",),
            "int8": ("int8",),
        }  # fmt: skip
        head_order: tuple[Precision, ...] = ("fp32",) if precision == "fp32" else ("fp32", "int8")
        candidates = {
            "encoder": _names("encoder", encoder_order[precision]),
            "predictor": _names("decoder", head_order),
            "joiner": _names("joint", head_order),
            "vocabulary": (VOCABULARY_NAME,),
        }
        found = {
            part: next((directory / name for name in names if (directory / name).is_file()), None)
            for part, names in candidates.items()
        }
        missing = [" or ".join(candidates[part]) for part, path in found.items() if path is None]
        if missing:
            raise ModelNotFoundError(
                f"{directory} lacks {'; '.join(missing)} (precision {precision}); "
                "download the model again, or quantize it where only INT8 is missing"
            )
        paths = {part: path for part, path in found.items() if path is not None}
        is_fp32 = paths["encoder"].name in _NAMES["encoder"]["fp32"]
        return cls(**paths, precision="fp32" if is_fp32 else "int8")


def _names(graph: str, precisions: tuple[Precision, ...]) -> tuple[str, ...]:
    return tuple(name for precision in precisions for name in _NAMES[graph][precision])
