"""Names of record files, from those of systems and datasets."""

from __future__ import annotations

import re


def safe_name(text: str) -> str:
    """A text as part of a file's name, on any file system.

    >>> safe_name("onnx-asr v0.12: модель/1"), safe_name("..")
    ('onnx-asr-v0.12-модель-1', 'unnamed')
    """
    return re.sub(r"[^\w.+-]+", "-", text).strip(".-")[:100] or "unnamed"
