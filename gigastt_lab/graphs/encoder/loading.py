"""Loading of an encoder: rewritten for this processor on a CPU, as it is elsewhere."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from gigastt_lab.errors import GigasttError
from gigastt_lab.graphs.int8_weights import load_exactly
from gigastt_lab.runtime.cache import NotPreparedError, prepared
from gigastt_lab.runtime.sessions import RuntimeOptions, Session, load_session, on_first_that_starts
from gigastt_lab.types import ProviderName

logger = logging.getLogger(__name__)

GRAPH_NAME: Final = "encoder.onnx"  # rewritten, in its entry of the cache

# A smaller model takes longer to prepare than that could ever spare.
_SMALLEST_BYTES: Final = 2_000_000


def load_encoder(path: Path, options: RuntimeOptions) -> Session:
    """Load an encoder; on a CPU rewritten for batches of one, from the cache or into it.

    Where that fails (an unknown graph, too little memory), the log says so and the graph runs as it is.

    Raises:
        ModelNotFoundError, ModelError, ProviderError: as `runtime.sessions.load_session`.
    """

    def load_on(provider: ProviderName) -> Session:
        taken = replace(options, provider=provider)
        if provider != "cpu" or not path.is_file():
            return load_session(path, taken)
        if path.stat().st_size < _SMALLEST_BYTES:
            return load_exactly(path, taken)
        try:
            return _load_rewritten(path, taken)
        except GigasttError as error:
            logger.warning("%s runs as it is, which is slower: %s", path, error)
            return load_exactly(path, taken)

    return on_first_that_starts(options.provider, str(path), load_on)


def _load_rewritten(path: Path, options: RuntimeOptions) -> Session:
    """The rewritten encoder; one in which nothing was found to rewrite, as it is."""

    def load(folder: Path) -> Session:
        graph = folder / GRAPH_NAME
        if not graph.is_file():
            return load_exactly(path, options)
        return load_session(graph, options, name=str(path), is_packed=True)

    return prepared("encoders", [path], lambda folder: _prepare(path, folder), load)


def _prepare(path: Path, folder: Path) -> None:
    """Run `prepare` in a process of its own."""
    started = time.perf_counter()
    logger.info("%s: preparing it for this processor, once", path)
    command = [sys.executable, "-m", "gigastt_lab.graphs.encoder.prepare", str(path), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2] or f"the preparation ended with {done.returncode}"
        raise NotPreparedError(f"{reason} (it needs about four times the file's size of memory)")
    logger.info("%s: prepared in %.1f s: %s", path, time.perf_counter() - started, done.stdout.strip())
