"""System as it is asked for: the fields that its kind reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gigastt_lab.engine import DEFAULT_BATCH_SIZE
from gigastt_lab.models.files import PrecisionChoice
from gigastt_lab.models.registry import DEFAULT_MODEL, canonical_name
from gigastt_lab.types import Provider


@dataclass(frozen=True, kw_only=True)
class SystemRequest:
    """A system as it is asked for; what it then really runs stands in its `info`.

    Attributes:
        kind: Name of its `SystemKind`: "engine", this package's own, or a peer.
        model: Name of the model, one that `models.registry.canonical_name` takes; not for a server.
        model_dir: Directory of the model, where that is not the usual one.
        precision: Precision of the encoder. `gigastt` chooses itself.
        provider: Execution provider. `gigastt` chooses itself.
        threads: Threads inside one operator; None takes what `runtime.cores.default_threads` says. `gigastt`
            chooses itself.
        batch_size: Utterances at once; 1: strictly one at a time, for latency. Servers and `gigastt` take
            one at a time, whatever is asked for.
        options: Options of the kind; of a server, what `systems.http.ServerOptions` takes, `url` before all.
    """

    kind: str = "engine"
    model: str = DEFAULT_MODEL
    model_dir: str | os.PathLike[str] | None = None
    precision: PrecisionChoice = "auto"
    provider: Provider = "auto"
    threads: int | None = None
    batch_size: int = DEFAULT_BATCH_SIZE
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def is_ours(self) -> bool:
        """True if it is this package's engine."""
        return self.kind == "engine"

    @property
    def model_name(self) -> str:
        """The model's full name, and that of its directory where that is not the usual one."""
        return canonical_name(self.model) + self.variant

    @property
    def variant(self) -> str:
        """Suffix of the model's name that tells a directory of one's own apart; else ""."""
        return "" if self.model_dir is None else f"-{Path(self.model_dir).resolve().name}"
