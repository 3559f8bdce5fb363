"""`python -m gigastt_lab.serve`: the server. The same program as `python -m gigastt_lab serve`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gigastt_lab.__main__ import main as command_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command `serve` and return its exit code."""
    return command_line(["serve", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
