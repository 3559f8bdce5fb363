"""File drop, a place in the notebook where audio files are dropped, and their text comes up.

A file comes in pieces, of which the front end sends the next when the last ones have arrived: a busy kernel
does not make it pile up. It is recognised on a thread of its own, and can be called off.
"""

from __future__ import annotations

import contextvars
import logging
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import anywidget
import traitlets

from gigastt_lab.engine import Engine
from gigastt_lab.errors import GigasttError, WorkCancelledError
from gigastt_lab.runtime.cancellation import Cancellation
from gigastt_lab.types import Part, Transcript
from gigastt_lab.widgets import assets, messages

logger = logging.getLogger(__name__)


def _temporary_file() -> BinaryIO:
    return cast(BinaryIO, tempfile.TemporaryFile(prefix="gigastt-drop-"))


@dataclass
class _Dropped:
    """A file that is under way.

    Attributes:
        id: The front end's name for it.
        name: Name of the file.
        n_bytes: Size of the file in bytes.
        file: File for its bytes. It has no name, and is gone when it is closed.
        cancellation: Cancellation that calls the work off.
        n_received: Bytes that are here.
    """

    id: str
    name: str
    n_bytes: int
    file: BinaryIO = field(default_factory=_temporary_file)
    cancellation: Cancellation = field(default_factory=Cancellation)
    n_received: int = 0


class FileDrop(anywidget.AnyWidget):
    """File drop: audio dropped or chosen, its text as it comes; a click on a word plays from there.

        drop = FileDrop(engine)
        drop                    # the last line of a cell shows it; then, in another cell:
        drop.transcript.text

    Attributes:
        transcript: Transcript of the newest file that was recognised to its end; None before any was.
        transcripts: Transcripts of all such files, by file name.
    """

    _esm = assets.module("formats", "transcript", "losses", "audio_files", "panel", "file_drop")
    _css = assets.style()

    _max_bytes = traitlets.Int().tag(sync=True)

    def __init__(self, engine: Engine, *, max_bytes: int = 500_000_000) -> None:
        """Make the widget.

        Args:
            engine: Engine that recognises what is dropped.
            max_bytes: Size of the largest file that is taken.

        Raises:
            ValueError: `max_bytes` is less than 1.
        """
        if max_bytes < 1:
            raise ValueError(f"max_bytes is {max_bytes}; give 1 or more")
        self.transcript: Transcript | None = None
        self.transcripts: dict[str, Transcript] = {}
        self._engine = engine
        self._lock = threading.RLock()
        self._dropped: _Dropped | None = None
        super().__init__(_max_bytes=max_bytes)
        self.on_msg(self._on_message)

    def close(self) -> None:
        """Take the widget from the page, and call off what is under way. Transcripts stay readable."""
        if getattr(self, "_lock", None) is not None:  # ipywidgets closes what failed to be made, too
            self._cancel()
        super().close()

    def _on_message(self, _widget: object, content: dict[str, Any], buffers: Sequence[memoryview]) -> None:
        """Handle a message of the front end, in whatever thread the kernel does."""
        kind = content.get("type")
        with self._lock:
            if kind == "file":
                self._begin(_Dropped(content["file"], content["name"], content["n_bytes"]))
            elif self._dropped is None or content.get("file") != self._dropped.id:
                return  # of a file that was called off
            elif kind == "piece":
                self._take(self._dropped, content["at"], buffers[0])
            elif kind == "cancel":
                self._cancel()

    def _begin(self, dropped: _Dropped) -> None:
        self._cancel()
        if dropped.n_bytes > self._max_bytes:
            dropped.file.close()
            self._tell(dropped, "ended", error=f"{dropped.n_bytes} bytes; max_bytes is {self._max_bytes}")
            return
        self._dropped = dropped
        self._take(dropped, 0, b"")

    def _take(self, dropped: _Dropped, at: int, piece: memoryview | bytes) -> None:
        """Write a piece where it belongs: they need not arrive in the order in which they were sent."""
        dropped.file.seek(at)
        dropped.file.write(piece)
        dropped.n_received += len(piece)
        self._tell(dropped, "received", n_bytes=dropped.n_received)
        if dropped.n_received >= dropped.n_bytes:
            # In this context, so that ipykernel takes what the thread sends for an answer to this message.
            context = contextvars.copy_context()
            threading.Thread(
                target=context.run, args=(self._recognise, dropped), name="gigastt-file", daemon=True
            ).start()

    def _cancel(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, None
            if dropped is None:
                return
            dropped.cancellation.cancel()
            if dropped.n_received < dropped.n_bytes:  # else its thread closes the file
                dropped.file.close()

    def _recognise(self, dropped: _Dropped) -> None:
        """Recognise a file, on a thread of its own."""
        error: Exception | None = None
        try:
            with dropped.file, dropped.cancellation.scope():
                dropped.file.seek(0)
                transcript = Transcript.of_parts(self._parts(dropped))
                with self._lock:
                    self.transcript = self.transcripts[dropped.name] = transcript
        except WorkCancelledError:
            return
        except GigasttError as caught:
            error = caught
        except Exception as caught:
            logger.exception("a dropped file failed")
            error = caught
        with self._lock:
            if self._dropped is dropped:
                self._dropped = None
                self._tell(dropped, "ended", error=None if error is None else str(error))

    def _parts(self, dropped: _Dropped) -> list[Part]:
        """All parts, each told as it comes."""
        parts = []
        for part in self._engine.transcribe_parts(dropped.file):
            parts.append(part)
            with self._lock:
                if self._dropped is dropped:
                    self._tell(
                        dropped,
                        "part",
                        utterances=messages.paragraphs(part.words),
                        warnings=messages.warnings(part.warnings),
                        done_s=part.done_s,
                        duration_s=part.duration_s,
                    )
        return parts

    def _tell(self, dropped: _Dropped, kind: str, **more: object) -> None:
        self.send({"type": kind, "file": dropped.id, **more})
