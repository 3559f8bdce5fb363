"""Standard streams that whoever started the process had closed (`>&-`, some services and schedulers)."""

from __future__ import annotations

import io
import os
import sys
from typing import Final

_DESCRIPTORS: Final = 3  # stdin, stdout, stderr


class ClosedOutput(io.TextIOBase):
    """Closed stdout: who has something to say there is told so, instead of saying it to nobody."""

    def write(self, _: str, /) -> int:
        """Raise `OSError`."""
        raise OSError("stdout is closed; redirect it to a file, or to /dev/null")


def open_closed_streams() -> None:
    """Stand in for the standard streams that are closed, for which Python has None.

    Their descriptors are taken first: else the next file that is opened would have one of them, and get
    what libraries print. Input has ended, output raises `OSError`, and what goes to stderr is lost.
    """
    for descriptor in range(_DESCRIPTORS):
        try:
            os.fstat(descriptor)
        except OSError:
            taken = os.open(os.devnull, os.O_RDWR)
            if taken != descriptor:
                os.dup2(taken, descriptor)
                os.close(taken)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as above
