"""The pages that are made from the code: `python -m gigastt_lab.server.documentation` in the project.

Writes `docs/cli.md`, every option of the server, and `docs/openapi.json`, every route.
"""

from __future__ import annotations

import json
from pathlib import Path

from gigastt_lab.server.config import ServerConfig
from gigastt_lab.server.option import Option, options_of

_HEAD = """# Options of the server

`python -m gigastt_lab.serve`, or `gigastt-lab serve`. This page is made from the code
(`python -m gigastt_lab.server.documentation`).

A flag goes before a variable, this before the file of `--config`, this before the default. In the file, a TOML table without
sections, options have their names with underscores (`pool_size = 8`). Switches take 1 or 0 in a variable, true or false in the file;
what may be given several times is separated by commas in a variable, and a list in the file. Options marked with a star are limits: they
are read again on SIGHUP. Flags, variables and defaults are those of gigastt 2.0.13 where it has them.

| flag | variable | default | |
|---|---|---|---|
"""
_TAIL = """
Exit codes: 0 stopped by a signal, after the drain; 1 the port is taken, or the address not this machine's; 2 an option cannot be; 3 the
model cannot be loaded; 4 to 9 it could not be downloaded (`gigastt-lab download --help`).
"""


def cli_page() -> str:
    """`docs/cli.md`."""
    return _HEAD + "".join(map(_row, options_of(ServerConfig))) + _TAIL


def openapi_page() -> str:
    """`docs/openapi.json`."""
    import asyncio

    from gigastt_lab.server.app import create_app  # loads FastAPI
    from gigastt_lab.server.state import ServerState

    async def described() -> object:
        return create_app(ServerState(ServerConfig())).openapi()

    return json.dumps(asyncio.run(described()), ensure_ascii=False, indent=2) + "\n"


def main() -> None:
    """Write both."""
    docs = Path("docs")
    (docs / "cli.md").write_text(cli_page(), encoding="utf-8")
    (docs / "openapi.json").write_text(openapi_page(), encoding="utf-8")


def _row(option: Option) -> str:
    value = "" if option.kind is bool else f" {option.details.metavar or _choices(option)}"
    star = " *" if option.details.is_limit else ""
    told = option.details.help.replace("|", "\\|")
    return f"| `{option.flag}{value}`{star} | `{option.variable}` | {option.shown_default} | {told} |\n"


def _choices(option: Option) -> str:
    return "{" + ",".join(option.choices or ()) + "}"


if __name__ == "__main__":
    main()
