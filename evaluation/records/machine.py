"""Machine and package versions as record files name them, and nothing of who owns them."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gigastt_lab.runtime.cores import core_count, cpu_quota

# Whose version can change a text or a time. Of ONNX Runtime, whichever builds are installed.
PACKAGES: Final = (
    "gigastt-lab",
    *(f"onnxruntime{build}" for build in ("", "-gpu", "-directml", "-openvino", "-silicon")),
    *("numpy", "av", "soxr", "soundfile", "datasets", "jiwer", "rapidfuzz"),
)

# Of these, those that take no part in recognition: they read datasets and count errors.
WITHOUT_PART: Final = frozenset({"datasets", "jiwer", "rapidfuzz"})


def package_versions() -> dict[str, str]:
    """Versions of Python and of those of `PACKAGES` that are installed."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def machine_info() -> dict[str, Any]:
    """Processor, cores and memory, GPUs, operating system; no names of host or user. Stable between runs."""
    info: dict[str, Any] = {
        "cpu": _cpu_model(),
        "architecture": platform.machine(),
        "cores": core_count(),  # physical ones that this process may use
        "logical_cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        "os": " ".join([platform.system(), platform.release(), *platform.libc_ver()]).strip(),
        "gpus": list(_gpus()),
    }
    quota = cpu_quota()
    if quota is not None:
        info["cpu_quota"] = quota
    memory_gib = _memory_gib()
    return info if memory_gib is None else info | {"memory_gib": memory_gib}


def lasting(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Part of `machine_info` that no update changes: without kernel release, driver, and memory.

    Memory is what kernel and driver leave of it.

    >>> lasting({"os": "Linux 6.1.0 glibc 2.36", "gpus": ["NVIDIA X, 81920 MiB, 550.1"], "memory_gib": 3.8})
    {'os': 'Linux glibc 2.36', 'gpus': ['NVIDIA X']}
    """
    kept = {name: value for name, value in machine.items() if name != "memory_gib"}
    if "os" in kept:
        system, _, rest = str(kept["os"]).partition(" ")
        kept["os"] = " ".join([system, *rest.split(" ")[1:]])
    if "gpus" in kept:
        kept["gpus"] = [str(gpu).partition(",")[0] for gpu in kept["gpus"]]
    return kept


def without_home(text: str) -> str:
    """A text with ``~`` for the user's home directory: record files and reports are shared."""
    try:
        home = str(Path.home())
    except RuntimeError:  # a user without one
        return text
    return re.sub(re.escape(home) + r"(?![\w.-])", "~", text) if len(home) > 1 else text


def _cpu_model() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return found[1].strip()
    brand = _output("sysctl", "-n", "machdep.cpu.brand_string") if platform.system() == "Darwin" else ""
    return brand.strip() or platform.processor() or "unknown"


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    except (AttributeError, ValueError, OSError):  # Windows
        return None


@functools.cache
def _gpus() -> tuple[str, ...]:
    """Name, memory and driver of each GPU of NVIDIA."""
    answer = _output("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    return tuple(line.strip() for line in answer.splitlines() if line.strip())


def _output(*command: str) -> str:
    """Output of a command; "" where it is not there, or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
