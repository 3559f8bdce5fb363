"""Live microphone of the notebook: speech to text while one speaks, the recording kept.

The front end captures and sends frames of 100 ms; `decoding` recognises them on a thread of its own, so the
kernel stays free. ipykernel 7 takes what newer front ends send beside a running cell, on another thread: text
goes on. Otherwise it is taken between cells: frames wait on their way, none is lost, and the front end shows
how much waits.

Results go out from the recogniser's thread. ipykernel sends everything through its IOPub thread, which takes
messages from any; ipywidgets documents background threads as a way to update widgets; and a message that was
left to the event loop instead would wait for the end of a running cell.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anywidget
import traitlets

from gigastt_lab.engine import Engine
from gigastt_lab.errors import GigasttError
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.streaming.options import Preset, StreamOptions, stream_options
from gigastt_lab.types import Float32Array, Transcript
from gigastt_lab.widgets import assets, messages
from gigastt_lab.widgets.decoding import BackgroundStream, BacklogError, Progress
from gigastt_lab.widgets.recording import Recording, joined_audio, joined_transcript, write_wav

logger = logging.getLogger(__name__)

# The front end stops by itself when so much waits; the kernel bears a little more, for what is on its way.
_SLACK_S: Final = 10.0


@dataclass
class _Live:
    """A recording that is under way.

    Attributes:
        id: The front end's name for it.
        recording: Recording that keeps its audio and text.
        stream: Stream that recognises it; None where none could be begun.
        n_expected: Number of samples in all; None until the front end has stopped.
        progress: Newest progress of the recogniser.
        error: Error by which its text ends early; its audio does not.
        has_ended: True once no results come any more.
    """

    id: str
    recording: Recording
    stream: BackgroundStream | None = None
    n_expected: int | None = None
    progress: Progress = field(default_factory=lambda: Progress([], 0, 0.0))
    error: Exception | None = None
    has_ended: bool = False


class LiveMicrophone(anywidget.AnyWidget):
    """Live microphone: a button, and the text of what is said: grey partials that settle into finals.

        microphone = LiveMicrophone(engine)
        microphone                      # the last line of a cell shows it; then, in another cell:
        microphone.transcript.text
        microphone.save("said.wav")

    What is recorded is kept until it is cleared; a further press of the button goes on behind it. Words that
    are still grey are in no transcript yet.

    All methods and attributes may be used from any thread.
    """

    _esm = assets.module(
        "capture", "capture_messages", "formats", "transcript", "panel", "live", "microphone"
    )
    _css = assets.style()

    _max_backlog_s = traitlets.Float().tag(sync=True)
    _max_duration_s = traitlets.Float().tag(sync=True)
    _server_url = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        engine: Engine,
        *,
        options: Preset | StreamOptions = "balanced",
        max_backlog_s: float = 60.0,
        max_duration_s: float = 3_600.0,
        server_url: str = "http://127.0.0.1:9876/",
    ) -> None:
        """Make the widget; nothing is recorded before its button is pressed.

        Args:
            engine: Engine that recognises what is said.
            options: Preset or options of partial results and endpointing.
            max_backlog_s: Seconds of audio that may wait for a busy kernel or a slow machine; beyond it,
                recording stops.
            max_duration_s: Seconds that one recording may last; an hour takes 350 MB at 48 kHz.
            server_url: Page of `python -m gigastt_lab.serve`, for front ends that give no microphone.

        Raises:
            ValueError: there is no such preset, or a limit is not above 0.
        """
        if min(max_backlog_s, max_duration_s) <= 0:
            raise ValueError(
                f"max_backlog_s is {max_backlog_s}, max_duration_s {max_duration_s}; give seconds above 0"
            )
        self._engine = engine
        self._options = stream_options(options)
        self._lock = threading.RLock()
        self._recordings: list[Recording] = []
        self._live: dict[str, _Live] = {}  # by id, until their text has ended: one, or an older one beside it
        self._over: set[str] = set()  # ids of recordings of which no more is taken
        super().__init__(_max_backlog_s=max_backlog_s, _max_duration_s=max_duration_s, _server_url=server_url)
        self.on_msg(self._on_message)

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """Recordings, a press of the button each, in order."""
        with self._lock:
            return tuple(self._recordings)

    @property
    def sample_rate(self) -> int:
        """Sample rate of `audio` in Hz, the browser's: mostly 48,000 or 44,100; 16,000 before any came."""
        recordings = self.recordings
        return recordings[0].sample_rate if recordings else GIGAAM_V3.sample_rate

    @property
    def audio(self) -> Float32Array:
        """All that was recorded, one recording after the other, in [-1, 1). Shape (n_samples,)."""
        return joined_audio(self.recordings, self.sample_rate)

    @property
    def transcript(self) -> Transcript:
        """The finals of all that was recorded; times in seconds from the start of `audio`."""
        return joined_transcript(self.recordings)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `audio` as a WAV file: PCM16, mono.

        Raises:
            ValueError: nothing was recorded yet.
            OSError: the file cannot be written.
        """
        if not self.recordings:
            raise ValueError("nothing was recorded yet: press the widget's button and speak first")
        write_wav(path, self.audio, self.sample_rate)

    def stop(self) -> None:
        """Have the front end stop recording. Returns at once; the last finals come later.

        How much later depends on the kernel: read them in another cell.
        """
        with self._lock:
            live_id = next((each for each in self._live if each not in self._over), None)
        self.send({"type": "stop", "recording": live_id})

    def clear(self) -> None:
        """Stop, and forget everything: audio, text, and what is still being recognised."""
        self._forget(None)
        self.send({"type": "cleared"})

    def close(self) -> None:
        """Take the widget from the page. What was recorded stays readable."""
        lock = getattr(self, "_lock", None)  # ipywidgets closes what failed to be made, too
        if lock is not None:
            with lock:
                self._drop(*self._live)
        super().close()

    def _on_message(self, _widget: object, content: dict[str, Any], buffers: Sequence[memoryview]) -> None:
        """Handle a message of the front end, in whatever thread the kernel does."""
        kind = content.get("type")
        with self._lock:
            if kind == "hello":
                self._tell_state()
            elif kind == "frame" and (live := self._live_of(content)):
                self._take(live, content["at"], bytes(buffers[0]))
            elif kind == "stop" and (live := self._live_of(content)):
                n_samples = content["n_samples"]
                live.n_expected = live.recording.n_samples if n_samples is None else n_samples
                self._finish_if_complete(live)
            elif kind == "abandon":
                self._drop(content["recording"])
            elif kind == "clear":
                self._forget(content["recording"])

    def _live_of(self, content: dict[str, Any]) -> _Live | None:
        """The recording that a message belongs to, begun where it is new; None where it is over.

        Whatever message of it comes first begins it: they need not come in the order in which they were sent.
        """
        live_id = content["recording"]
        if live_id in self._over:
            return None
        if live_id not in self._live and content["sample_rate"] is not None:
            self._begin(live_id, content["sample_rate"])
        return self._live.get(live_id)

    def _begin(self, live_id: str, sample_rate: int) -> None:
        for older in list(self._live.values()):  # its page went away without a word
            self._finish(older)
        live = self._live[live_id] = _Live(live_id, Recording(sample_rate))
        self._recordings.append(live.recording)
        try:
            session = self._engine.stream(sample_rate, self._options)
        except GigasttError as error:
            self._on_end(live, error)
            return
        live.stream = BackgroundStream(
            session,
            sample_rate,
            max_backlog_s=self._max_backlog_s + _SLACK_S,
            on_progress=lambda progress: self._on_progress(live, progress),
            on_end=lambda error: self._on_end(live, error),
        )

    def _take(self, live: _Live, at: int, pcm16: bytes) -> None:
        complete = live.recording.add_audio(at, pcm16)
        if complete and live.stream and live.error is None:
            try:
                live.stream.put(complete)
            except BacklogError as error:
                live.error = error
                live.stream.finish()
        self._tell_progress(live)
        self._finish_if_complete(live)

    def _finish_if_complete(self, live: _Live) -> None:
        if live.n_expected is not None and live.recording.n_samples >= live.n_expected:
            self._finish(live)

    def _finish(self, live: _Live) -> None:
        self._over.add(live.id)
        if live.stream and not live.has_ended:
            live.stream.finish()
        else:
            self._live.pop(live.id, None)
            self._tell_end(live)

    def _drop(self, *live_ids: str) -> None:
        """End what is under way, its rest unheard."""
        self._over.update(live_ids)
        for live_id in live_ids:
            live = self._live.pop(live_id, None)
            if live and live.stream:
                live.stream.abandon()

    def _forget(self, live_id: str | None) -> None:
        """Forget everything, and what still comes of the recording of this id."""
        with self._lock:
            self._drop(*self._live, *([] if live_id is None else [live_id]))
            self._recordings = []

    def _on_progress(self, live: _Live, progress: Progress) -> None:
        """Take new results, on the recogniser's thread."""
        with self._lock:
            live.progress = progress
            live.recording.add_results(progress.results)
            self._tell_progress(live)
            for result in progress.results:
                self._tell(live, "result", result=messages.result(result, self._start_of(live.recording)))

    def _on_end(self, live: _Live, error: Exception | None) -> None:
        """Take note of the end, on the recogniser's thread, too."""
        with self._lock:
            live.has_ended = True
            live.error = live.error or error
            live.recording.partial = None
            if live.id in self._over:  # else the rest of its audio is still to come
                self._live.pop(live.id, None)
            self._tell_end(live)

    def _start_of(self, recording: Recording) -> float:
        """Seconds of all that was recorded before it."""
        before = self._recordings[: self._recordings.index(recording)]
        return sum(each.duration_s for each in before)

    def _tell_state(self) -> None:
        """Tell all that there is to a front end that has just come."""
        partial = self._recordings[-1].partial if self._recordings else None
        finals = [
            messages.result(final, self._start_of(recording))["words"]
            for recording in self._recordings
            for final in recording.finals
        ]
        told = messages.result(partial, self._start_of(self._recordings[-1])) if partial else None
        self.send({"type": "state", "utterances": finals, "partial": told, "seconds": self._seconds()})

    def _tell_progress(self, live: _Live) -> None:
        self._tell(
            live,
            "progress",
            n_received=live.recording.n_samples,
            n_recognised=live.progress.n_samples,
            work_s=live.progress.work_s,
        )

    def _tell_end(self, live: _Live) -> None:
        error = None if live.error is None else f"{type(live.error).__name__}: {live.error}"
        self._tell(live, "ended", error=error, seconds=self._seconds())

    def _tell(self, live: _Live, kind: str, **more: object) -> None:
        if live.recording in self._recordings:  # of what was cleared, nothing is told
            self.send({"type": kind, "recording": live.id, **more})

    def _seconds(self) -> float:
        """Seconds of all that was recorded."""
        return sum(each.duration_s for each in self._recordings)
