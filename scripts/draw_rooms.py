"""Pictures of the rooms for docs/architecture.md, drawn from import-linter's contracts in pyproject.toml.

`python scripts/draw_rooms.py` writes docs/assets/rooms_PACKAGE.svg anew; `--check` fails where that would
change one.
"""

from __future__ import annotations

import argparse
import html
import re
import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
_WIDTH, _BOX, _GAP, _ROW, _LETTER = 640, 30, 14, 52, 7.6  # pixels
_STYLE: Final = (
    "rect{fill:#e0f2f1;stroke:#00897b}text{font:13px ui-monospace,monospace;fill:#00332e;text-anchor:middle}"
    "path{stroke:#8a8f98;stroke-width:1.5;fill:none}"
)


def main() -> int:
    """Write the pictures, or compare them; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where one is out of date")
    only_check = parser.parse_args().check
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    stale = []
    for contract in content["tool"]["importlinter"]["contracts"]:
        if contract["type"] != "layers":
            continue
        [package] = contract["containers"]
        path = ROOT / "docs" / "assets" / f"rooms_{package}.svg"
        svg = drawing(package, contract)
        if path.exists() and path.read_text(encoding="utf-8") == svg:
            continue
        stale.append(path.name)
        if not only_check:
            path.write_text(svg, encoding="utf-8")
    if only_check and stale:
        raise SystemExit(f"{', '.join(stale)}: out of date; run python scripts/draw_rooms.py")
    return 0


def drawing(package: str, contract: dict[str, Any]) -> str:
    """SVG of the layers of one package, top to bottom; rooms of one layer side by side."""
    layers = [re.split(r"\s*[|:]\s*", layer) for layer in contract["layers"]]
    height = _ROW * len(layers) - _ROW + _BOX + 4
    parts = [f"<style>{_STYLE}</style>"]
    for row, rooms in enumerate(layers):
        top = 2 + row * _ROW
        parts += _row(rooms, top)
        if row:  # an arrow from the layer above
            tip = top - 3
            parts.append(f'<path d="M{_WIDTH / 2} {top - _ROW + _BOX + 2}V{tip}m-4-5l4 5 4-5"/>')
    label = f"Rooms of {package}: each may import those below it"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{html.escape(label)}">{"".join(parts)}</svg>\n'
    )


def _row(rooms: list[str], top: int) -> list[str]:
    widths = [24 + _LETTER * len(room) for room in rooms]
    left = (_WIDTH - sum(widths) - _GAP * (len(rooms) - 1)) / 2
    parts = []
    for room, width in zip(rooms, widths, strict=True):
        parts.append(
            f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BOX}" rx="5"/>'
            f'<text x="{left + width / 2:.1f}" y="{top + 20}">{html.escape(room)}</text>'
        )
        left += width + _GAP
    return parts


if __name__ == "__main__":
    raise SystemExit(main())
