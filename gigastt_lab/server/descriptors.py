"""Descriptors, files and sockets that the process may have open: as many as its limits on clients need."""

from __future__ import annotations

import logging
from typing import Final

from gigastt_lab.server.config import ServerConfig

logger = logging.getLogger(__name__)

_OWN: Final = 256  # the model, libraries, log, threads; connections beyond the limit; files of work under way


def allow_descriptors(config: ServerConfig) -> None:
    """Raise the soft limit to what the configuration needs; warn where the hard one is below.

    Many systems begin with 1,024. A server that runs out of them cannot accept, and cannot open a file for a
    body either.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    needed = config.max_connections + 2 * config.max_uploads + _OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError) as error:  # macOS allows less than it says
        logger.warning("the limit on open files stays %d: %s", soft, error)
        allowed = soft
    if allowed < needed:
        logger.warning(
            "only %d files and sockets may be open here, and --max-connections %d with --max-uploads %d may "
            "need %d: raise it (ulimit -n, LimitNOFILE=), or lower those",
            allowed, config.max_connections, config.max_uploads, needed,
        )  # fmt: skip
