"""This package's own engine as a system.

What only loading needs is imported there: `speed_study` measures the memory of a process with this module.
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.datasets.audio import Audio, Decoded, decoded
from evaluation.records.naming import safe_name
from evaluation.systems.base import Outcome, rounded, together_or_each
from evaluation.systems.files import file_hashes, files_of
from evaluation.systems.kinds import SystemKind, usual_name
from evaluation.systems.timed import Conditions, Contestant, Timed, transcribing
from gigastt_lab.engine import Engine, load_engine
from gigastt_lab.models.files import ModelFiles, PrecisionChoice
from gigastt_lab.runtime.sessions import available_providers
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array, Provider, Transcript

if TYPE_CHECKING:
    from evaluation.systems.spec import SystemRequest


class EngineSystem:
    """An `Engine`, whose stages are timed apart. Decoding is its work, too: files in, text out.

    Attributes:
        name: Name from model, precision, provider, threads and batch size, as really taken.
        info: The same configuration by name, and SHA-256 of the files.
        batch_size: Utterances that it takes at once.
        engine: The engine itself.
    """

    def __init__(self, engine: Engine, *, batch_size: int, files: ModelFiles, variant: str = "") -> None:
        """Use `load`.

        Args:
            engine: Engine that transcribes; it decides its own limits of length.
            batch_size: Utterances in one batch; 1: one at a time, by `Engine.transcribe`.
            files: Files that the engine loaded.
            variant: Suffix of the model's name.

        Raises:
            ModelError: a file of the model cannot be read.
        """
        taken = engine.info
        self.name = safe_name(
            f"{taken.model}{variant}_{taken.precision}_{taken.provider}_t{taken.threads}_b{batch_size}"
        )
        self.batch_size = batch_size
        self.info: dict[str, Any] = {
            "kind": "engine",
            "model": taken.model,
            "files": file_hashes(files),
            "precision": taken.precision,
            "provider": taken.provider,
            "threads": taken.threads,
        }
        self.engine = engine

    @classmethod
    def load(
        cls,
        model: str,
        directory: Path,
        *,
        precision: PrecisionChoice,
        provider: Provider,
        threads: int | None,
        batch_size: int,
        variant: str = "",
    ) -> EngineSystem:
        """Load an engine, as `gigastt_lab.engine.load_engine` does and with its errors."""
        engine = load_engine(
            model, model_dir=directory, precision=precision, provider=provider, threads=threads
        )
        files = ModelFiles.find(directory, precision, preferred=engine.info.precision)
        return cls(engine, batch_size=batch_size, files=files, variant=variant)

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """Outcomes, one for each; of a batch that fails as a whole, only the guilty ones fail."""
        inputs = [decoded(audio) for audio in audios]
        readable = [each for each in inputs if each.waveform is not None]
        results = iter(together_or_each(self._recognized, readable))
        return [
            _failed(each, each.error or "") if each.waveform is None else _outcome(each, next(results))
            for each in inputs
        ]

    def _recognized(self, inputs: Sequence[Decoded]) -> list[tuple[Transcript, float]]:
        """Transcripts, and each one's share of the seconds that passed, by its length."""
        waveforms = [each.waveform for each in inputs if each.waveform is not None]
        started = time.perf_counter()
        transcripts = self._transcripts(waveforms)
        passed_s = time.perf_counter() - started
        # What passed outside the stages is work, too: putting words together, copying.
        rest_s = max(0.0, passed_s - sum(transcript.timings.total_s for transcript in transcripts))
        n_samples = sum(map(len, waveforms))
        return [
            (transcript, transcript.timings.total_s + rest_s * len(waveform) / n_samples)
            for transcript, waveform in zip(transcripts, waveforms, strict=True)
        ]

    def _transcripts(self, waveforms: list[Float32Array]) -> list[Transcript]:
        rate = GIGAAM_V3.sample_rate
        if len(waveforms) == 1:
            return [self.engine.transcribe(waveforms[0], sample_rate=rate)]
        return self.engine.transcribe_batch(waveforms, sample_rate=rate, batch_size=self.batch_size)


def _outcome(each: Decoded, result: tuple[Transcript, float] | str) -> Outcome:
    if isinstance(result, str):
        return _failed(each, result)
    transcript, passed_s = result
    stages = replace(transcript.timings, decode_s=transcript.timings.decode_s + each.decode_s)
    return Outcome(
        hypothesis=transcript.text,
        words=tuple(rounded(word.text, word.start, word.end, word.confidence) for word in transcript.words),
        n_tokens=transcript.n_tokens,
        audio_s=each.audio_s,
        decode_s=stages.decode_s,
        features_s=stages.features_s,
        encoder_s=stages.encoder_s,
        search_s=stages.search_s,
        work_s=each.decode_s + passed_s,
        warnings=each.warnings,
    )


def _failed(each: Decoded, error: str) -> Outcome:
    return Outcome(error=error, audio_s=each.audio_s, decode_s=each.decode_s, warnings=each.warnings)


def _load(spec: SystemRequest, /, *, show_progress: bool) -> EngineSystem:
    """The engine over a model that is downloaded, and quantized, where that is needed."""
    from evaluation.systems.registry import prepared
    from gigastt_lab.models.registry import canonical_name

    return EngineSystem.load(
        canonical_name(spec.model),
        prepared(spec, spec.precision, show_progress=show_progress),
        precision=spec.precision,
        provider=spec.provider,
        threads=spec.threads,
        batch_size=spec.batch_size,
        variant=spec.variant,
    )


def _files(spec: SystemRequest, info: Mapping[str, Any]) -> Mapping[str, str]:
    return files_of(spec, info, spec.precision)


def _timed(spec: Mapping[str, Any]) -> Timed:
    engine = load_engine(
        spec["model"],
        model_dir=spec["directory"],
        precision=spec["precision"],
        provider=spec["provider"],
        threads=spec["threads"],
    )
    operations = transcribing(
        lambda path: engine.transcribe(Path(path)).text,
        lambda paths: [each.text for each in engine.transcribe_batch([Path(path) for path in paths])],
    )
    return Timed(operations, importlib.metadata.version("gigastt-lab"), engine)


def _contestants(conditions: Conditions) -> list[Contestant]:
    """The engine in INT8, which comes first, and FP32; other directories; on OpenVINO where there is one."""
    int8 = Contestant(
        label="ours INT8",
        kind="engine",
        directory=conditions.directory,
        precision="int8",
        threads=conditions.threads,
        model=conditions.model,
        takes_batches=True,
    )
    fp32 = replace(int8, label="ours FP32", precision="fp32")
    others = [
        replace(int8, label=f"ours {each.label}", directory=each.directory, precision=each.precision)
        for each in conditions.also
    ]
    on_openvino = [
        replace(each, label=f"{each.label}, OpenVINO", provider="openvino", note="threads: its own choice")
        for each in (int8, fp32)
        if "openvino" in available_providers()
    ]
    return [int8, fp32, *others, *on_openvino]


ENGINE = SystemKind(
    name="engine",
    load=_load,
    files=_files,
    settings=("precision", "provider", "threads", "batch_size"),
    name_of=lambda spec: usual_name(spec, ""),
    prefixes=(),
    timed=_timed,
    contestants=_contestants,
)
