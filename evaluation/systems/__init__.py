"""Systems: whatever makes text of an utterance; a file each, and one registry of their kinds.

Lives here: the Protocol and its outcome, this package's engine, its peers, servers, functions of one's own,
and how each is timed.
May import: `records` (names, machine), `datasets` (audio).
Public: `SystemSpec`, `load_system`, `matrix`, `System`, `Outcome`; to add one, `SystemKind` and `peers`.
"""

from typing import TYPE_CHECKING

from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from evaluation.systems.base import Outcome as Outcome
    from evaluation.systems.base import System as System
    from evaluation.systems.base import SystemUnavailableError as SystemUnavailableError
    from evaluation.systems.kinds import SystemKind as SystemKind
    from evaluation.systems.registry import SystemSpec as SystemSpec
    from evaluation.systems.registry import load_system as load_system
    from evaluation.systems.registry import matrix as matrix

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "Outcome": "base:Outcome",
        "System": "base:System",
        "SystemKind": "kinds:SystemKind",
        "SystemSpec": "registry:SystemSpec",
        "SystemUnavailableError": "base:SystemUnavailableError",
        "load_system": "registry:load_system",
        "matrix": "registry:matrix",
    },
    was="registry",
)
