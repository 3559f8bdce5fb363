"""Heap of the server: memory that is free again goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
from gigastt_lab.server.heap import bound_arenas, trim
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
bound_arenas()
held = [bytes(60_000) for _ in range(2_000)]
kept = held[::50]  # holes between them: nothing at the top of the heap is free
full = resident()
del held
trim()
print(full - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="with another C library nothing is done")
def test_free_memory_goes_back() -> None:
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert int(result.stdout) > 90_000_000  # of 120 MB, a fiftieth of which is kept
