"""Russian speech from Debian's synthesizers: espeak-ng with its variants, and festival with festvox-ru."""

from __future__ import annotations

import io
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

# Variants of espeak-ng's voices that sound like a person; whispers, robots and effects are left out.
ESPEAK_VOICES = tuple(
    "m1 m2 m3 m4 m5 m6 m7 f1 f2 f3 f4 klatt klatt2 klatt4 adam Alex Alicia Andrea Andy Annie antonio aunty "
    "belinda benjamin boris caleb david Denis Diogo ed Gene grandma grandpa Henrique Hugo linda max Michael".split()
)
# Kept out of training: the test says how a voice is understood that was never heard.
HELD_OUT_VOICES = ("f5", "m8", "steph", "robert", "anika", "pablo")

SAMPLE_RATE = GIGAAM_V3.sample_rate
FESTIVAL_VOICE = "msu_ru_nsh_clunits"
_FESTIVAL_PROGRAM = f"""(voice_{FESTIVAL_VOICE})
(define (say text file) (utt.save.wave (utt.synth (eval (list 'Utterance 'Text text))) file 'riff))
"""


_UNSPOKEN = str.maketrans("", "", '«»"\\')


class SynthesisError(GigasttError, RuntimeError):
    """A synthesizer that is not installed, or failed."""


@dataclass(frozen=True)
class EspeakVoice:
    """How espeak-ng is to speak: variant, words per minute, pitch in [0, 99], gap between words in 10 ms."""

    variant: str
    speed: int = 160
    pitch: int = 50
    gap: int = 0


def espeak(text: str, voice: EspeakVoice) -> Float32Array:
    """`text` spoken by espeak-ng. Shape (n_samples,), 16 kHz.

    Raises:
        SynthesisError: espeak-ng is not installed, or failed.
    """
    command = [
        _program("espeak-ng"),
        "-v",
        f"ru+{voice.variant}",
        "-s",
        str(voice.speed),
        "-p",
        str(voice.pitch),
    ]
    done = subprocess.run(
        [*command, "-g", str(voice.gap), "--stdout", "--", text], capture_output=True, check=False, timeout=60
    )
    if done.returncode or not done.stdout:
        raise SynthesisError(f"espeak-ng failed on {text!r}: {done.stderr.decode(errors='replace').strip()}")
    return _read(io.BytesIO(done.stdout))


def festival(texts: Sequence[str]) -> Iterator[Float32Array | None]:
    """Each text spoken by festival's Russian voice, 16 kHz; None where festival fails on a text.

    Raises:
        SynthesisError: festival or its Russian voice is not installed.
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
        done = subprocess.run([program, "--pipe"], input=script.encode(), capture_output=True, check=False)
        if not any(file.exists() for file in files):
            raise SynthesisError(
                f"festival gave no audio: install festival and festvox-ru ({done.stderr.decode(errors='replace')[-300:]})"
            )
        for file in files:
            yield _read(file) if file.exists() and file.stat().st_size > 1000 else None


def _read(source: Path | io.BytesIO) -> Float32Array:
    samples, rate = soundfile.read(source, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, SAMPLE_RATE), dtype=np.float32)


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise SynthesisError(f"{name} is not installed: apt-get install espeak-ng festival festvox-ru")
    return path


def as_pcm16(samples: Float32Array) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Samples as 16-bit integers, peak-limited."""
    return np.clip(np.round(samples * 32767.0), -32768, 32767).astype(np.int16)
