"""Options of the server: each once, for flags, variables, configuration file, help and docs."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from gigastt_lab.models.files import PrecisionChoice
from gigastt_lab.models.registry import DEFAULT_MODEL, MODEL_DIR_VARIABLE
from gigastt_lab.runtime.cores import DEFAULT_THREADS
from gigastt_lab.server.option import OptionError, given_by_variables, option, options_of
from gigastt_lab.streaming.options import Preset
from gigastt_lab.types import Provider

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Configuration: all options, with the defaults of gigastt 2.0.13 where it has them.

    Raises:
        OptionError: options that do not go together.
    """

    host: str = option("127.0.0.1", "address to listen on; any but loopback needs --bind-all",
        metavar="ADDRESS")  # fmt: skip
    port: int = option(9876, "port to listen on; 0 takes a free one", metavar="PORT", low=0, high=65_535)
    bind_all: bool = option(False, "allow an address that others can reach",
        variable="GIGASTT_ALLOW_BIND_ANY")  # fmt: skip
    allow_origin: tuple[str, ...] = option((), "web origin that may call the server, besides loopback; "
        "repeatable, in the variable separated by commas", metavar="URL")  # fmt: skip
    cors_allow_any: bool = option(False, "let every web page call the server")
    allow_host: tuple[str, ...] = option((), "name that the Host header may have on a loopback address, for "
        "a proxy that passes its own on; repeatable", metavar="HOST")  # fmt: skip
    trust_proxy: bool = option(False, "take a client's address from X-Forwarded-For or X-Real-IP where the "
        "direct peer is loopback or private")  # fmt: skip

    api_key_file: str | None = option(None, "file of API keys, one a line (KEY, or NAME: KEY); whoever calls "
        "has to send one as a bearer token. SIGHUP reads it again", metavar="FILE",
        needs_text=True)  # fmt: skip

    model: str = option(DEFAULT_MODEL, "which model; demo: the small one inside the package", metavar="NAME")
    model_dir: str | None = option(None, "its directory, if not the usual one", metavar="DIR",
        variable=MODEL_DIR_VARIABLE)  # fmt: skip
    precision: PrecisionChoice = option(
        "auto", "of the encoder; auto: INT8 where it is there, right and faster"
    )
    provider: Provider = option("auto", "execution provider of ONNX Runtime")
    threads: int | None = option(None, f"threads inside one operator; none: {DEFAULT_THREADS}",
        metavar="N", low=1, high=1024)  # fmt: skip
    skip_quantize: bool = option(False, "make no INT8 encoder after a download")
    stream_preset: Preset = option("balanced", "how WebSocket streams are recognised")

    pool_size: int = option(4, "requests and streams that are worked on at once; the weights are shared",
        metavar="N", low=1, high=1024)  # fmt: skip
    pool_checkout_timeout_secs: float = option(30.0, "longest wait for a place among them, then 503",
        metavar="S", low=0, high=86_400, is_limit=True)  # fmt: skip
    inference_timeout_secs: float = option(600.0, "longest work on one file, or on one piece of a stream",
        metavar="S", low=0.1, high=86_400, is_limit=True)  # fmt: skip
    body_limit_bytes: int = option(50 * 2**20, "largest body of a request", metavar="B", low=1,
        is_limit=True)  # fmt: skip
    max_audio_secs: float = option(600.0, "longest audio of a file", metavar="S", low=0.1, is_limit=True)
    max_uploads: int = option(256, "bodies of requests that are held at once: being received, waiting, or "
        "worked on", metavar="N", low=1, high=1_000_000, is_limit=True)  # fmt: skip
    max_connections: int = option(1000, "connections that are open at once, WebSockets among them",
        metavar="N", low=1, high=1_000_000, is_limit=True)  # fmt: skip
    keep_alive_secs: float = option(130.0, "how long a connection is kept after an answer, for the next "
        "request", metavar="S", low=1, high=86_400, is_limit=True)  # fmt: skip
    rate_limit_per_minute: int = option(0, "requests to /v1/* of one client in a minute; 0: no limit",
        metavar="N", low=0, high=60_000, is_limit=True)  # fmt: skip
    rate_limit_burst: int = option(10, "requests of one client that may come at once", metavar="N", low=0,
        high=60_000, is_limit=True)  # fmt: skip
    idle_timeout_secs: float = option(300.0, "a WebSocket that sends nothing for so long is closed; so is a "
        "body, or a reader, that does not move", metavar="S", low=0.1, high=86_400,
        is_limit=True)  # fmt: skip
    max_session_secs: float = option(3600.0, "longest WebSocket session; 0: no limit", metavar="S", low=0,
        is_limit=True)  # fmt: skip
    ws_frame_max_bytes: int = option(512 * 2**10, "largest WebSocket message", metavar="B", low=2,
        high=2**30)  # fmt: skip
    shutdown_drain_secs: float = option(10.0, "after SIGTERM, longest wait for what is under way",
        metavar="S", low=0, high=86_400, is_limit=True)  # fmt: skip

    jobs_dir: str | None = option(None, "directory for the jobs of /v1/jobs: their recordings, and their "
        "results until they are swept; one server each; none: no jobs", metavar="DIR",
        needs_text=True)  # fmt: skip
    jobs_workers: int = option(1, "jobs that are worked on at once; each takes a place of --pool-size, and "
        "gives it up between two pieces where others wait", metavar="N", low=1, high=1024)  # fmt: skip
    jobs_max_queued: int = option(1000, "jobs that may wait; beyond: 429", metavar="N", low=1, is_limit=True)
    jobs_max_bytes: int = option(10 * 2**30, "recordings and results of all jobs together; beyond: 507",
        metavar="B", low=1, is_limit=True)  # fmt: skip
    jobs_keep_secs: float = option(86_400.0, "a job that has ended is deleted so long afterwards, with its "
        "result", metavar="S", low=1, is_limit=True)  # fmt: skip
    jobs_body_limit_bytes: int = option(2**30, "largest body of POST /v1/jobs, in place of "
        "--body-limit-bytes", metavar="B", low=1, is_limit=True)  # fmt: skip
    jobs_max_audio_secs: float = option(43_200.0, "longest audio of a job, in place of --max-audio-secs",
        metavar="S", low=0.1, is_limit=True)  # fmt: skip

    metrics: bool = option(False, "serve Prometheus metrics at /metrics")
    log_level: LogLevel = option("info", "what is logged, to stderr; transcripts at debug only")
    log_format: LogFormat = option("text", "of the log: lines for people, or one JSON object a line")
    config: str | None = option(None, "TOML file with any of these options, under their names with "
        "underscores; SIGHUP reads its limits again", metavar="FILE")  # fmt: skip

    def __post_init__(self) -> None:
        if not (self.bind_all or is_loopback(self.host)):
            risk = "keys come in plain HTTP" if self.api_key_file else "nothing asks callers who they are"
            raise OptionError(
                f"--host {self.host} can be reached from other machines, and {risk}; give --bind-all (or "
                "GIGASTT_ALLOW_BIND_ANY=1) if that is meant, or listen on 127.0.0.1"
            )
        for origin in self.allow_origin:
            if not re.fullmatch(r"https?://[^/?#@\s]+/?", origin, re.IGNORECASE):
                raise OptionError(
                    f"--allow-origin {origin} is no origin; give https://name, or https://name:port if the "
                    "port is not the usual one"
                )
        if self.rate_limit_per_minute and not self.rate_limit_burst:
            raise OptionError("--rate-limit-burst is 0, which lets nothing pass; give 1 or more")

    @property
    def session_limit_s(self) -> float | None:
        """Longest WebSocket session, in seconds; None: no limit."""
        return self.max_session_secs or None

    @property
    def drain_s(self) -> float:
        """Longest time to drain, in seconds; as in gigastt, at least one."""
        return max(1.0, self.shutdown_drain_secs)


def is_loopback(host: str) -> bool:
    """True if a name or an address, an IPv6 one perhaps in brackets, is this machine's loopback.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.2", "[::1]", "0.0.0.0", "localhost.example")]
    [True, True, True, False, False]
    """
    plain = host.strip().lower().removeprefix("[").removesuffix("]")
    if plain in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(plain).is_loopback
    except ValueError:
        return False


class ConfigSource:
    """Source of the options: flags, else variables, else the file, else defaults."""

    def __init__(self, flags: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> None:
        """Take the sources; nothing is read yet.

        Args:
            flags: Options that were given on the command line, by name.
            environment: Environment variables; None: this process's.
        """
        self._flags = flags
        self._environment = os.environ if environment is None else environment

    def read(self) -> ServerConfig:
        """The configuration.

        Raises:
            OptionError: a value that cannot be, an unknown key, a file that cannot be read, or options that
                do not go together.
        """
        known = {each.name: each for each in options_of(ServerConfig)}
        given = dict(given_by_variables(ServerConfig, self._environment))
        given |= {
            name: known[name].checked(value, known[name].flag)
            for name, value in self._flags.items()
            if name in known
        }
        path = given.get("config")
        return ServerConfig(**({} if path is None else _of_file(Path(path))) | given)

    def reload(self, current: ServerConfig) -> ServerConfig:
        """The configuration with its limits read again.

        Raises:
            OptionError: as for `read`.
        """
        fresh = self.read()
        names = [each.name for each in options_of(ServerConfig) if each.details.is_limit]
        return replace(current, **{name: getattr(fresh, name) for name in names})


def _of_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8"
        raise OptionError(f"--config {path} cannot be read: {reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"--config {path} is no TOML: {error}") from error
    known = {each.name: each for each in options_of(ServerConfig) if each.name != "config"}
    unknown = sorted(set(content) - set(known))
    if unknown:
        raise OptionError(f"--config {path} has {', '.join(unknown)}; known are {', '.join(known)}")
    return {name: known[name].checked(value, f"{path}: {name}") for name, value in content.items()}
