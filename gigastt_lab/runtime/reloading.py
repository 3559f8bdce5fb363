"""Things loaded from files, and pickled as where they came from: another process loads them again."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

Origin = TypeVar("Origin", bound=Hashable)
Loaded = TypeVar("Loaded")

_KEPT = 2  # the tasks of a pool come one by one, and each brings its model


class Reloading(Generic[Origin, Loaded]):
    """Registry of what was loaded in this process, by its origin.

    Attributes:
        lock: Held while something is loaded again; a new one in a forked process.
    """

    def __init__(self, load: Callable[[Origin], Loaded]) -> None:
        self.lock = threading.RLock()
        self._load = load
        self._alive: WeakValueDictionary[Origin, Loaded] = WeakValueDictionary()
        self._kept: deque[Loaded] = deque(maxlen=_KEPT)
        if hasattr(os, "register_at_fork"):  # Windows has no fork
            os.register_at_fork(after_in_child=self._unlock)

    def remember(self, origin: Origin, loaded: Loaded) -> None:
        """Note what was loaded, for as long as somebody else holds it."""
        self._alive[origin] = loaded

    def loaded(self, origin: Origin) -> Loaded:
        """The thing of this origin: one that is here, or is loaded now; the last of these are kept."""
        with self.lock:
            found = self._alive.get(origin)
            if found is None:
                found = self._load(origin)
                self._alive[origin] = found
                self._kept.append(found)
            return found

    def _unlock(self) -> None:
        self.lock = threading.RLock()
