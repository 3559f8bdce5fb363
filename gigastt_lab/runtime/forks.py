"""Remains of ONNX Runtime in a process that is forked from one that has loaded a model.

A fork has the memory of its parent and none of its threads. A session is of no use there: running it waits
for threads that there are not, and so does tearing it down, which would keep the child from ending. In a
child, therefore, the sessions of its parent are neither run (`sessions.Session.run`) nor torn down.
"""

from __future__ import annotations

import os
import sys
import weakref
from contextlib import suppress
from typing import Final

TELEMETRY_VARIABLE: Final = "ORT_DISABLE_TELEMETRY"

_ALIVE: Final[weakref.WeakSet[object]] = weakref.WeakSet()
# ONNX Runtime from 1.32 on has a thread that sends telemetry, unless the variable is set when it is imported.
_TELEMETRY_MAY_RUN: Final = "onnxruntime" in sys.modules and TELEMETRY_VARIABLE not in os.environ


def keep_in_children(inference: object) -> None:
    """See to it that `inference` is never torn down in a process that is forked from this one."""
    _ALIVE.add(inference)


def without_telemetry() -> None:
    """Turn ONNX Runtime's telemetry off, in good time where it was not imported yet.

    It asks the network for its host, writes into the home directory, and its thread keeps forked processes
    from ending. Who sets the variable oneself is heeded.
    """
    os.environ.setdefault(TELEMETRY_VARIABLE, "1")


def _after_fork() -> None:
    import ctypes

    for inference in list(_ALIVE):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(inference))  # a reference that nobody gives back
    if _ALIVE and _TELEMETRY_MAY_RUN:
        # Its destructor waits for the thread. With glibc, what is registered last is called first: `_exit`,
        # with the exit code, when Python is done.
        with suppress(AttributeError):
            libc = ctypes.CDLL(None)
            libc.on_exit(ctypes.cast(libc._exit, ctypes.c_void_p), None)
    _ALIVE.clear()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)
