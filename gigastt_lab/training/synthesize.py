"""Russian speech from Debian's synthesizers: espeak-ng with its variants, and festival with festvox-ru."""

from __future__ import annotations

import io
import logging
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from gigastt_lab.errors import GigasttError
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array

logger = logging.getLogger(__name__)

# Variants of espeak-ng's voices that sound like a person; whispers, robots and effects are left out.
ESPEAK_VOICES = tuple(
    "m1 m2 m3 m4 m5 m6 m7 f1 f2 f3 f4 klatt klatt2 klatt4 adam Alex Alicia Andrea Andy Annie antonio aunty "
    "belinda benjamin boris caleb david Denis Diogo ed Gene grandma grandpa Henrique Hugo linda max Michael".split()
)
# Kept out of training: the test says how a voice is understood that was never heard.
HELD_OUT_VOICES = ("f5", "m8", "steph", "robert", "anika", "pablo")

FESTIVAL_VOICE = "msu_ru_nsh_clunits"
_FESTIVAL_PROGRAM = f"""(voice_{FESTIVAL_VOICE})
(define (say text file) (utt.save.wave (utt.synth (eval (list 'Utterance 'Text text))) file 'riff))
"""
_TIMEOUT_S = 120.0  # for one text (espeak-ng) or a batch of them (festival)
_WAV_HEADER_BYTES = 44
_UNSPOKEN = str.maketrans("", "", '«»"\\')  # festival stops at them


class SynthesisError(GigasttError, RuntimeError):
    """A synthesizer that is not installed, or failed."""


@dataclass(frozen=True)
class EspeakVoice:
    """Voice of espeak-ng: variant, words per minute, pitch in [0, 99], gap between words in 10 ms."""

    variant: str
    speed: int = 160
    pitch: int = 50
    gap: int = 0


def check_synthesizers() -> None:
    """Raise `SynthesisError` unless both synthesizers speak a Russian word."""
    if espeak("Да.", EspeakVoice("m1")) is None:
        raise SynthesisError("espeak-ng does not speak Russian: apt-get install espeak-ng")
    if next(festival(["Да."])) is None:
        raise SynthesisError("festival does not speak Russian: apt-get install festival festvox-ru")


def espeak(text: str, voice: EspeakVoice) -> Float32Array | None:
    """`text` spoken by espeak-ng, shape (n_samples,), 16 kHz; None where it fails on the text.

    Raises:
        SynthesisError: espeak-ng is not installed.
    """
    manner = f"-v ru+{voice.variant} -s {voice.speed} -p {voice.pitch} -g {voice.gap} --stdout --".split()
    try:
        done = subprocess.run(
            [_program("espeak-ng"), *manner, text], capture_output=True, check=True, timeout=_TIMEOUT_S
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        logger.warning("espeak-ng failed on %r: %s", text, error)
        return None
    return _read(io.BytesIO(done.stdout)) if done.stdout else None


def festival(texts: Sequence[str]) -> Iterator[Float32Array | None]:
    """Each text spoken by festival's Russian voice, as `espeak` gives it.

    Raises:
        SynthesisError: festival is not installed.
    """
    program = _program("festival")
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{i}.wav" for i in range(len(texts))]
        # It refuses angle quotes, and the others would end its own string.
        quoted = (text.translate(_UNSPOKEN) for text in texts)
        script = _FESTIVAL_PROGRAM + "\n".join(
            f'(say "{text}" "{file}")' for text, file in zip(quoted, files, strict=True)
        )
        # Interactive mode goes on after an error in one utterance; batch mode would stop.
        command = [program, "--pipe"]
        try:
            subprocess.run(
                command, input=script.encode(), capture_output=True, check=False, timeout=_TIMEOUT_S
            )
        except subprocess.TimeoutExpired as error:
            logger.warning("festival hung on one of %d texts: %s", len(texts), error)
        for text, file in zip(texts, files, strict=True):
            spoken = file.exists() and file.stat().st_size > _WAV_HEADER_BYTES
            if not spoken:
                logger.warning("festival failed on %r", text)
            yield _read(file) if spoken else None


def _read(source: Path | io.BytesIO) -> Float32Array:
    samples, rate = soundfile.read(source, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, GIGAAM_V3.sample_rate), dtype=np.float32)


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise SynthesisError(f"{name} is not installed: apt-get install espeak-ng festival festvox-ru")
    return path


def as_pcm16(samples: Float32Array) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Samples as 16-bit integers, peak-limited."""
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)
