"""Speech whose word times are known, by synthesizers: `python -m evaluation.studies.spoken_words FOLDER`.

Festival's Russian voice and variants of espeak-ng's say sentences, and tell where each word begins and ends.
The folder gets a WAV file an utterance, `manifest.jsonl` for `eval run --dataset`, and `truth.ctm` for `eval
times --reference`. Silence behind each utterance is what shows late ends.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import soundfile
from tqdm import tqdm

from gigastt_lab.audio.reading import from_array
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.training.synthesize import (
    FESTIVAL_VOICE,
    HELD_OUT_VOICES,
    SynthesisError,
    check_synthesizers,
)
from gigastt_lab.types import Float32Array

_RATE: Final = GIGAAM_V3.sample_rate
_QUIET: Final = 1e-4  # -80 dB: a quiet room
_FESTIVAL: Final = f"""(voice_{FESTIVAL_VOICE})
(define (say text name)
  (let ((said (utt.synth (eval (list 'Utterance 'Text text))))
        (labels (fopen (string-append name ".txt") "w")))
    (utt.save.wave said (string-append name ".wav") 'riff)
    (mapcar
      (lambda (word) (format labels "%f %f\\n" (item.feat word "word_start") (item.feat word "word_end")))
      (utt.relation.items said 'Word))
    (fclose labels)))
"""
_UNSPOKEN: Final = str.maketrans("", "", '«»"\\')  # festival stops at them
# Source: espeak-ng, `speak_lib.h`: types of events, and two that lie between words.
_END_OF_EVENTS, _WORD, _PHONEME = 0, 1, 7
_OF_SENTENCES: Final = (2, 5, 6)


class TimedSpan(NamedTuple):
    """Begin and end of a word, in seconds."""

    start_s: float
    end_s: float


class Spoken(NamedTuple):
    """A sentence as it was said: samples at 16 kHz, shape (n_samples,), and the times of its words."""

    waveform: Float32Array
    words: list[TimedSpan]


class Event(NamedTuple):
    """Event of espeak-ng: its type, its sample, the letter of the text (from 0), the phoneme's name."""

    kind: int
    sample: int
    letter: int
    phoneme: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Speak the sentences, and write the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sentences", type=Path, default=DEMO_CLIPS_DIRECTORY / "manifest.jsonl",
        metavar="JSONL", help="lines with `text`, and `spoken` if numbers are said otherwise than written; "
        "default: those of the packaged clips")  # fmt: skip
    parser.add_argument("--voices", default=",".join(HELD_OUT_VOICES), metavar="NAME,...",
        help="espeak-ng's variants; default: those that the demo model never heard")  # fmt: skip
    parser.add_argument("--silence-s", type=float, default=1.5, help="behind each utterance; default: 1.5")
    options = parser.parse_args(arguments)
    check_synthesizers()
    rows = [json.loads(line) for line in options.sentences.read_text(encoding="utf-8").splitlines()]
    said = [row.get("spoken", row["text"]) for row in rows]
    speakers: dict[str, Callable[[], Iterator[Spoken | None]]] = {"festival": lambda: festival(said)}
    for voice in filter(None, options.voices.split(",")):
        speakers[voice] = lambda voice=voice: espeak(said, voice)  # type: ignore[misc]  # bound now
    n_written = write(options.folder, rows, speakers, options.silence_s)
    sys.stdout.write(f"{options.folder}: {n_written} of {len(rows) * len(speakers)} utterances\n")
    return 0


def write(
    folder: Path,
    rows: Sequence[dict[str, Any]],
    speakers: dict[str, Callable[[], Iterator[Spoken | None]]],
    silence_s: float,
) -> int:
    """Write audio, manifest and word times; sentences whose words were not all told apart are left out.

    Returns:
        Number of utterances written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng, manifest, ctm = np.random.default_rng(0), list[str](), list[str]()
    for speaker, speak in tqdm(speakers.items(), desc="speakers", disable=None):
        for number, (row, spoken) in enumerate(zip(rows, speak(), strict=True)):
            if spoken is None:
                continue
            name = f"{speaker}_{number:04d}"
            quiet = (_QUIET * rng.standard_normal(round(silence_s * _RATE))).astype(np.float32)
            waveform = np.clip(np.concatenate([spoken.waveform, quiet]), -1.0, 1.0)
            soundfile.write(folder / f"{name}.wav", waveform, _RATE, subtype="PCM_16")
            entry = {"audio": f"{name}.wav", "text": row["text"], "speaker": speaker}
            manifest.append(json.dumps(entry, ensure_ascii=False))
            for word, span in zip(_words(row.get("spoken", row["text"])), spoken.words, strict=True):
                length_s = span.end_s - span.start_s
                ctm.append(f"{name} 1 {span.start_s:.3f} {length_s:.3f} {word.group()}")
    (folder / "manifest.jsonl").write_text("\n".join(manifest) + "\n", encoding="utf-8")
    (folder / "truth.ctm").write_text("\n".join(ctm) + "\n", encoding="utf-8")
    return len(manifest)


def festival(sentences: Sequence[str]) -> Iterator[Spoken | None]:
    """Each sentence by festival; None where it fails, or makes other words of it."""
    with tempfile.TemporaryDirectory() as folder:
        calls = [
            f'(say "{text.translate(_UNSPOKEN)}" "{folder}/{number}")'
            for number, text in enumerate(sentences)
        ]
        script = _FESTIVAL + "\n".join(calls)
        subprocess.run(["festival", "--pipe"], input=script.encode(), capture_output=True, check=False)
        for number, text in enumerate(sentences):
            audio, labels = Path(folder, f"{number}.wav"), Path(folder, f"{number}.txt")
            lines = labels.read_text(encoding="ascii").splitlines() if audio.exists() else []
            words = [TimedSpan(*map(float, line.split())) for line in lines]
            if not words or len(words) != len(_words(text)):
                yield None
                continue
            samples, rate = soundfile.read(audio, dtype="float32")
            yield Spoken(from_array(samples, rate), words)


def espeak(sentences: Sequence[str], voice: str) -> Iterator[Spoken | None]:
    """Each sentence by a variant of espeak-ng's voice; None where it joins words of it, as some prepositions.

    Raises:
        SynthesisError: its library is not there, or has no such voice.
    """
    library = _Espeak()
    for text in sentences:
        samples, events = library.say(text, f"ru+{voice}")
        spans = word_spans(events, [match.start() for match in _words(text)], len(samples))
        if spans is None:
            yield None
            continue
        words = [TimedSpan(start / library.rate, end / library.rate) for start, end in spans]
        yield Spoken(from_array(samples, library.rate), words)


def word_spans(
    events: Sequence[Event], letters: Sequence[int], n_samples: int
) -> list[tuple[int, int]] | None:
    """First sample of each word, and the one behind its last phoneme; None where words were joined.

    Args:
        events: Events in order; a phoneme that begins with `_` is a pause.
        letters: Where each word begins in the text, from 0.
        n_samples: Samples in all.

    >>> events = [Event(1, 10, 0), Event(7, 20, 0, "d"), Event(7, 40, 0, "_:"), Event(1, 90, 3)]
    >>> word_spans(events, [0, 3], 99)
    [(10, 40), (90, 99)]
    """
    found: dict[int, list[int]] = {}
    current: list[int] | None = None
    for event in events:
        is_word = event.kind == _WORD
        is_pause = event.kind == _PHONEME and event.phoneme.startswith("_")
        if current is not None and (is_word or is_pause or event.kind in _OF_SENTENCES):
            current.append(event.sample)
            current = None
        if is_word and event.letter in letters:
            current = found.setdefault(event.letter, [event.sample])
    if current is not None:
        current.append(n_samples)
    if list(found) != list(letters):
        return None
    return [(first, behind) for first, behind, *_ in found.values()]


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("phoneme", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int),
        ("utterance", ctypes.c_uint),
        ("letter", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Espeak:
    """Library of espeak-ng: its program tells no times.

    Attributes:
        rate: Sample rate of its voices, in Hz.
    """

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise SynthesisError(
                f"espeak-ng's library is not there: apt-get install libespeak-ng1: {error}"
            ) from error
        self.rate: int = self._library.espeak_Initialize(2, 0, None, 1)  # synchronous, with phonemes
        self._samples: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
        self._events: list[Event] = []
        self._callback = _CALLBACK(self._take)  # kept: the library holds no reference
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str) -> tuple[Float32Array, list[Event]]:
        """Samples in [-1, 1] at `rate`, shape (n_samples,), and what lies where in them."""
        self._samples.clear()
        self._events.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise SynthesisError(f"espeak-ng has no voice {voice!r}; `espeak-ng --voices=variant` lists them")
        content = text.encode() + b"\0"
        self._library.espeak_Synth(content, len(content), 0, 1, 0, 1, None, None)  # of UTF-8
        self._library.espeak_Synchronize()
        return np.concatenate(self._samples).astype(np.float32) / np.float32(2**15), list(self._events)

    def _take(self, samples: Any, n_samples: int, events: Any) -> int:
        if samples and n_samples:
            self._samples.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        number = 0
        while (event := events[number]).kind != _END_OF_EVENTS:
            name = event.id.phoneme.decode("utf-8", "replace") if event.kind == _PHONEME else ""
            self._events.append(Event(event.kind, event.sample, event.letter - 1, name))
            number += 1
        return 0


def _words(text: str) -> list[re.Match[str]]:
    return list(re.finditer(r"[\w-]+", text))


if __name__ == "__main__":
    sys.exit(main())
