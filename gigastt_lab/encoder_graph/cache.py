"""Rewritten encoders on disk, so that each is made once: by model, processor, ONNX Runtime and this code."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import onnxruntime as ort

from gigastt_lab.storage import sha256_of

logger = logging.getLogger(__name__)

VARIABLE: Final = "GIGASTT_LAB_CACHE"
GRAPH_NAME: Final = "encoder.onnx"

# To be raised whenever a rewritten graph would come out otherwise than before.
_REWRITE_VERSION: Final = 1
# Entries that are kept, the last used ones: FP32 and INT8 of two models. GigaAM's take 1.7 and 0.45 GB.
_N_KEPT: Final = 4


def cache_directory() -> Path:
    """Where entries are kept: ``GIGASTT_LAB_CACHE``, else ``gigastt_lab`` in the user's cache directory."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "gigastt_lab"


def entry(model: Path, make: Callable[[Path], None], directory: Path) -> Path:
    """The directory of `model`'s rewritten graph, made where it is not there yet.

    Args:
        model: The encoder as it was downloaded or quantized.
        make: Writes ``encoder.onnx`` and what belongs to it into a new directory, or nothing.
        directory: The cache, see `cache_directory`.

    Raises:
        OSError: the cache cannot be written; or `model` cannot be read.
    """
    encoders = directory / "encoders"
    found = encoders / _key(_model_sha256(model, directory))
    if not found.is_dir():
        from filelock import FileLock  # noqa: PLC0415 - only where an entry is made

        encoders.mkdir(parents=True, exist_ok=True)
        with FileLock(encoders / ".lock"):
            if not found.is_dir():  # made while this one waited
                _make(found, make)
                _forget_oldest(encoders)
    try:
        os.utime(found)  # used now
    except OSError:  # a cache that is only read
        logger.debug("%s: its time of use cannot be noted", found)
    return found


def _make(target: Path, make: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as folder:
        made = Path(folder) / target.name
        made.mkdir()
        make(made)
        made.replace(target)


def _forget_oldest(encoders: Path) -> None:
    """Delete all but the entries used last. A process that runs one keeps its mapped files."""
    entries = [path for path in encoders.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for old in sorted(entries, key=lambda path: path.stat().st_mtime, reverse=True)[_N_KEPT:]:
        logger.info("%s: not used for long, deleted", old)
        shutil.rmtree(old, ignore_errors=True)


def _key(model_sha256: str) -> str:
    parts = (model_sha256, ort.__version__, "cpu", _processor(), str(_REWRITE_VERSION))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _processor() -> str:
    """What decides how ONNX Runtime packs weights: the instruction sets."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return platform.machine() + " ".join(sorted(flags.split()))


def _model_sha256(model: Path, directory: Path) -> str:
    """SHA-256 of a file, remembered by its path, size and times: half a second for 900 MB."""
    status = model.stat()
    identity = (model.resolve(), status.st_size, status.st_mtime_ns, status.st_ino)
    note = directory / "checksums" / hashlib.sha256("\n".join(map(str, identity)).encode()).hexdigest()[:32]
    try:
        return note.read_text(encoding="ascii")
    except OSError:
        checksum = sha256_of(model)
    with contextlib.suppress(OSError):  # a cache that is only read may hold the entry all the same
        note.parent.mkdir(parents=True, exist_ok=True)
        # Renamed when whole: another process may be reading.
        with tempfile.NamedTemporaryFile("w", dir=note.parent, delete=False, encoding="ascii") as file:
            file.write(checksum)
        Path(file.name).replace(note)
    return checksum
