"""A transcript to read and to hear: words by confidence, a click on one plays from there."""

from __future__ import annotations

import io
from typing import Any, Final

import anywidget
import soundfile
import traitlets

from gigastt_lab.audio.inputs import Audio, waveform_of
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array, Transcript
from gigastt_lab.widgets import assets, messages

# About 60 MB as FLAC, which the browser keeps.
MAX_AUDIO_S: Final = 3_600.0


class TranscriptView(anywidget.AnyWidget):
    """View of a transcript: words coloured by confidence; with audio, a click on one plays from there.

    TranscriptView(engine.transcribe("meeting.ogg"), "meeting.ogg")
    TranscriptView(microphone.transcript, microphone.audio, microphone.sample_rate)
    """

    _esm = assets.module("formats", "transcript", "panel", "transcript_view")
    _css = assets.style()

    _utterances: traitlets.List[messages.Utterance] = traitlets.List().tag(sync=True)
    _audio = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self, transcript: Transcript, audio: Audio | None = None, sample_rate: int | None = None
    ) -> None:
        """Make the widget; the last line of a cell shows it.

        Args:
            transcript: Transcript of `audio`.
            audio: Recording, as `Engine.transcribe` takes it: a path, a file's bytes, samples. The
                browser gets it as the recogniser heard it, at 16 kHz, as FLAC. None: a text without sound.
            sample_rate: Rate of samples given as an array, in Hz.

        Raises:
            AudioTooLongError: more than `MAX_AUDIO_S` seconds.
            AudioError: not audio, or an array without a rate.
        """
        self.transcript = transcript
        super().__init__(
            _utterances=messages.paragraphs(transcript.words),
            _audio=b"" if audio is None else as_flac(waveform_of(audio, sample_rate, MAX_AUDIO_S)),
        )

    def seek(self, seconds: float) -> None:
        """Play from this second of the audio on; does nothing without audio."""
        self._tell("seek", at=seconds)

    def pause(self) -> None:
        """Stop playing."""
        self._tell("pause")

    def _tell(self, kind: str, **more: Any) -> None:
        self.send({"type": kind, **more})


def as_flac(waveform: Float32Array) -> bytes:
    """Mono samples at 16 kHz as a FLAC file, which every browser plays."""
    file = io.BytesIO()
    soundfile.write(file, waveform, GIGAAM_V3.sample_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
