"""Front-end assets of a widget: one module and one style sheet, put together from parts.

anywidget takes a single module, which has nothing to import from: there is no address that every front end
would serve its neighbours at. So the parts are plain scripts, each of which defines one name, put one after
the other. The server's page takes those in `gigastt_lab/web` in the same way, so there is one copy of the
capture code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_OWN: Final = Path(__file__).parent / "web"
_SHARED: Final = Path(__file__).parents[1] / "web"


def module(*names: str) -> str:
    """The text of the named scripts in their order, each from this package or else from the shared ones."""
    return "\n".join(_text(f"{name}.js") for name in names)


def style() -> str:
    """The style sheet of all widgets; what it says holds inside of them only."""
    return _text("widgets.css")


def _text(name: str) -> str:
    own = _OWN / name
    return (own if own.exists() else _SHARED / name).read_text(encoding="utf-8")
