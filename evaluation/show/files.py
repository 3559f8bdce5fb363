"""JSON files, for machines."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_content(content: Mapping[str, Any], path: Path) -> Path:
    """Write JSON, null for what is not known; returns the path."""
    text = json.dumps(known(content), ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def known(value: Any) -> Any:
    """A value as JSON takes it: None for a number that is none.

    >>> known({"a": (1, math.nan), 2: {"b": math.inf}})
    {'a': [1, None], '2': {'b': None}}
    """
    if isinstance(value, Mapping):
        return {str(name): known(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [known(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
