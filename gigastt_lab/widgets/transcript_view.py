"""A transcript to read and to hear: words by confidence, a click on one plays from there."""

from __future__ import annotations

import io
from typing import Any, Final

import anywidget
import soundfile
import traitlets

from gigastt_lab.audio.inputs import Audio, waveform_of
from gigastt_lab.audio.options import ReadOptions
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array, Transcript
from gigastt_lab.widgets import assets, messages

# About 60 MB as FLAC, which the browser keeps.
MAX_AUDIO_S: Final = 3_600.0


class TranscriptView(anywidget.AnyWidget):
    """View of a transcript: words by confidence, below what of the file was lost; with audio, a click plays.

    TranscriptView(engine.transcribe("meeting.ogg"), "meeting.ogg")
    TranscriptView(microphone.transcript, microphone.audio, microphone.sample_rate)
    """

    _esm = assets.module("formats", "transcript", "losses", "panel", "transcript_view")
    _css = assets.style()

    _utterances: traitlets.List[messages.Utterance] = traitlets.List().tag(sync=True)
    _warnings: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    _audio = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        transcript: Transcript,
        audio: Audio | None = None,
        sample_rate: int | None = None,
        *,
        track: int | None = None,
    ) -> None:
        """Make the widget; the last line of a cell shows it.

        Args:
            transcript: Transcript of `audio`.
            audio: Recording, as `Engine.transcribe` takes it: a path, a file's bytes, samples. The
                browser gets it as the recogniser heard it, at 16 kHz, as FLAC. None: a text without sound.
            sample_rate: Rate of samples given as an array, in Hz.
            track: Number of the file's audio track, from 1, as `Engine.transcribe` was given it.

        Raises:
            AudioTooLongError: more than `MAX_AUDIO_S` seconds.
            AudioError: not audio, an array without a rate, or a track that is not there.
        """
        self.transcript = transcript
        super().__init__(
            _utterances=messages.paragraphs(transcript.words),
            _warnings=messages.warnings(transcript.warnings),
            _audio=b"" if audio is None else as_flac(_waveform(audio, sample_rate, track)),
        )

    def seek(self, seconds: float) -> None:
        """Play from this second of the audio on; does nothing without audio."""
        self._tell("seek", at=seconds)

    def pause(self) -> None:
        """Stop playing."""
        self._tell("pause")

    def _tell(self, kind: str, **more: Any) -> None:
        self.send({"type": kind, **more})


def _waveform(audio: Audio, sample_rate: int | None, track: int | None) -> Float32Array:
    return waveform_of(audio, sample_rate, MAX_AUDIO_S, ReadOptions(track=track))


def as_flac(waveform: Float32Array) -> bytes:
    """Mono samples at 16 kHz as a FLAC file, which every browser plays."""
    file = io.BytesIO()
    soundfile.write(file, waveform, GIGAAM_V3.sample_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
