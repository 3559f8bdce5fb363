"""Widgets for notebooks: a live microphone, a transcript that can be heard, a place to drop files.

Lives here: the widgets and what they run in the browser (`web`, and the shared `gigastt_lab/web`).
May import: `engine`, `streaming`, `audio`, `runtime` (cancellation), `formats`, `types`, `spec`, `errors`.
Public: `LiveMicrophone`, `TranscriptView`, `FileDrop`; anywidget is imported nowhere else.

In JupyterLab, Notebook 7, and where else anywidget runs. `pip install 'gigastt-lab[notebook]'` brings what
they need.

>>> from gigastt_lab.widgets import LiveMicrophone  # doctest: +SKIP
>>> microphone = LiveMicrophone(engine)  # doctest: +SKIP
>>> microphone  # the last line of a cell shows it  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gigastt_lab.widgets.file_drop import FileDrop
    from gigastt_lab.widgets.microphone import LiveMicrophone
    from gigastt_lab.widgets.transcript_view import TranscriptView

__all__ = ["FileDrop", "LiveMicrophone", "TranscriptView"]

_LATE = {"FileDrop": "file_drop", "LiveMicrophone": "microphone", "TranscriptView": "transcript_view"}
_NEEDED = {"anywidget", "ipywidgets", "traitlets"}


def __getattr__(name: str) -> Any:
    """The widgets, loaded on first use.

    Raises:
        ImportError: the packages for notebooks are not installed.
    """
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"{__name__}.{_LATE[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        raise ImportError(
            f"{name} needs the package {error.name}: pip install 'gigastt-lab[notebook]'"
        ) from error
