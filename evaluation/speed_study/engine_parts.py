"""Parts of the engine, timed apart in its process; and the encoder's graph without the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluation.systems.timed import Operations, timed
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.engine import Engine
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.types import Float32Array, Int64Array

Encode = Callable[[Float32Array, Int64Array], Any]

_INTEGERS: Final = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


def operations(engine: Engine) -> Operations:
    """Operations of the engine beside transcribing files: threads together, encoder, stages."""
    # Its very own parts: whatever else loads a model may load it differently.
    recognizer = engine._recognizer
    known: dict[tuple[str, ...], tuple[Float32Array, Int64Array]] = {}

    def encoded(paths: tuple[str, ...]) -> tuple[Float32Array, Int64Array]:
        """Encoder frames of files, (B, n_frames, n_encoded), and how many are valid, (B,); encoded once."""
        if paths not in known:
            each = [recognizer.encode(log_mel(decode_audio(Path(path)))) for path in paths]
            counts = np.array([len(frames) for frames in each])
            frames = np.zeros((len(each), counts.max(), each[0].shape[1]), np.float32)
            for row, its in zip(frames, each, strict=True):
                row[: len(its)] = its
            known[paths] = frames, counts
        return known[paths]

    def stages(path: str, paths: list[str]) -> dict[str, Any]:
        waveform = decode_audio(Path(path))
        features = log_mel(waveform)
        work: dict[str, Callable[[], object]] = {
            "features": lambda: log_mel(waveform),
            "encoder": lambda: recognizer.encode(features),
            "search": lambda: recognizer.search(*encoded((path,))),
            "search_batch": lambda: recognizer.search(*encoded(tuple(paths))),
        }
        for each in ((path,), tuple(paths)):
            encoded(each)  # outside the clock
        return {name: timed(run)[1] for name, run in work.items()}

    return {
        "together": lambda path, n: _together(engine, Path(path), n),
        "encode": lambda path, between_mb: _encode(recognizer.encoder, path, between_mb),
        "stages": stages,
    }


def plain_operations(session: Any) -> Operations:
    """Operation of the encoder's pass through a session of ONNX Runtime with its defaults."""
    features_input, lengths_input = session.get_inputs()
    integer = _INTEGERS[lengths_input.type]

    def run(features: Float32Array, lengths: Int64Array) -> Any:
        return session.run(None, {features_input.name: features, lengths_input.name: lengths.astype(integer)})

    return {"encode": lambda path, between_mb: _encode(run, path, between_mb)}


def _encode(encode: Encode, path: str, between_mb: int) -> dict[str, Any]:
    """One pass over a file, timed: after another one, or after other work has filled the caches.

    Args:
        encode: Encoder from features, (1, n_mels, n_frames), and their lengths in frames, (1,).
        path: Path of the file.
        between_mb: MB of other memory to write before; 0: a pass that is not timed goes before.
    """
    features = log_mel(decode_audio(Path(path)))[None]
    lengths = np.array([features.shape[2]])
    if between_mb:
        np.ones(between_mb * 10**6 // 8).cumsum()
    else:
        encode(features, lengths)
    _, took = timed(lambda: encode(features, lengths))
    return took


def _together(engine: Engine, path: Path, n: int) -> dict[str, Any]:
    """The same file in so many threads at once, all of them starting together."""
    barrier = threading.Barrier(n)
    texts: list[str] = []

    def work() -> None:
        barrier.wait()
        texts.append(engine.transcribe(path).text)

    def run() -> None:
        threads = [threading.Thread(target=work) for _ in range(n)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    _, took = timed(run)
    if len(texts) != n:
        raise RuntimeError(f"{n - len(texts)} of {n} threads failed; see the process's stderr")
    return {"n_texts": len(set(texts)), **took}
