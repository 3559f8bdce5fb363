"""Server process: listens, loads the model, serves, drains on SIGTERM, reads its limits again on SIGHUP."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Final

import uvicorn

from gigastt_lab.engine import Engine, load_engine
from gigastt_lab.errors import GigasttError, ModelError
from gigastt_lab.exit_codes import ExitCode, exit_code
from gigastt_lab.prepare import prepare_model
from gigastt_lab.server import logs
from gigastt_lab.server.app import create_app
from gigastt_lab.server.config import ConfigSource, ServerConfig, is_loopback
from gigastt_lab.server.descriptors import allow_descriptors
from gigastt_lab.server.heap import bound_arenas, keep_trimmed
from gigastt_lab.server.keys import ApiKeys, read_keys
from gigastt_lab.server.option import OptionError
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.transport import protocols

logger = logging.getLogger(__name__)

_POLL_S: Final = 0.05
_MAX_HEAD_BYTES: Final = 2**16
_CLOSE_S: Final = 1  # for connections without work, after the drain


def run(source: ConfigSource) -> int:
    """Serve until a signal ends it; returns the exit code.

    Raises:
        OptionError: the configuration cannot be, or the file of API keys.
    """
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to read again
    config = source.read()
    bound_arenas()
    logs.configure(config.log_level, config.log_format)
    keys = None if config.api_key_file is None else read_keys(config.api_key_file)
    _warn_of(config)
    allow_descriptors(config)
    try:
        listener = _listen(config)
    except OSError as error:
        logger.error("cannot listen on %s, port %d: %s", config.host, config.port, error.strerror or error)
        return ExitCode.FAILED
    with listener:
        return asyncio.run(_Process(source, config, keys, listener).serve())


class _Process:
    """One server, from its first connection to its last."""

    def __init__(
        self, source: ConfigSource, config: ServerConfig, keys: ApiKeys | None, listener: socket.socket
    ) -> None:
        self._source = source
        self._config = config
        self._keys = keys
        self._listener = listener
        self._failure: GigasttError | OSError | None = None

    async def serve(self) -> int:
        self._state = ServerState(self._config, self._keys)
        app = create_app(self._state)
        http, websockets = protocols(self._state.connections)
        self._server = _Server(
            uvicorn.Config(
                app,
                http=http,
                ws=websockets,
                ws_max_size=self._config.ws_frame_max_bytes,
                # A client whose audio waits to be worked on answers no ping; silence has its own limit.
                ws_ping_interval=None,
                ws_per_message_deflate=False,  # audio does not shrink, and small frames could grow
                h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # whom to trust is decided here (`rate_limit.client_address`)
                timeout_graceful_shutdown=_CLOSE_S,
            ),
            on_signal=self._stop,
        )
        loading = asyncio.create_task(self._load())
        trimming = asyncio.create_task(keep_trimmed())
        if hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)
        host, port = self._listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        logger.info("listening on http://%s:%d, WebSocket at ws://%s:%d/v1/ws", shown, port, shown, port)
        try:
            await self._server.serve(sockets=[self._listener])
        finally:
            await self._break_off()
            await self._state.close()
            trimming.cancel()
            if not loading.done():
                loading.cancel()
        logger.info("stopped")
        return ExitCode.OK if self._failure is None else exit_code(self._failure)

    async def _load(self) -> None:
        """Load the engine, in a thread; without one the process ends."""
        started = time.perf_counter()
        try:
            engine = await _in_daemon(lambda: _engine(self._config))
        except (GigasttError, OSError) as error:
            logger.error("%s", error)
            self._failure = error
            self._server.should_exit = True
            return
        except Exception as error:  # a package that is missing or broken; nobody else would ever tell
            logger.exception("the model cannot be loaded")
            self._failure = ModelError(str(error))
            self._server.should_exit = True
            return
        self._state.start(engine)
        logger.info("ready after %.1f s: %s", time.perf_counter() - started, engine.info)

    def _stop(self) -> None:
        """Handle SIGTERM or Ctrl-C: nobody comes in; those inside have some time. Twice: they have none."""
        if self._state.is_stopping.is_set():
            self._server.should_exit = self._server.force_exit = True
            return
        logger.info("shutting down: %d at work, %g s to drain", self._state.pool.in_use, self._config.drain_s)
        self._state.stop()
        self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        give_up_at = time.monotonic() + self._state.config.drain_s
        while self._state.pool.in_use and time.monotonic() < give_up_at:
            await asyncio.sleep(_POLL_S)
        if self._state.pool.in_use:
            logger.warning("%d still at work after the drain: broken off", self._state.pool.in_use)
        self._server.should_exit = True

    async def _break_off(self) -> None:
        """Tell what is still under way, then cut off whoever reads nothing: the process would wait for it."""
        state = self._server.server_state
        if tasks := set(state.tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_CLOSE_S)
        for connection in list(state.connections):
            transport = connection.transport
            (transport.abort if transport.get_write_buffer_size() else transport.close)()

    def _reload(self) -> None:
        """Handle SIGHUP: read API keys and limits again, each for itself."""
        self._reload_keys()
        try:
            config = self._source.reload(self._state.config)
        except OptionError as error:
            logger.error("the limits stay as they were: %s", error)
            return
        self._state.apply(config)
        allow_descriptors(config)
        logger.info("limits read again")

    def _reload_keys(self) -> None:
        path = self._config.api_key_file
        if path is None:
            return
        try:
            keys = read_keys(path)
        except OptionError as error:
            logger.error("the API keys stay as they were: %s", error)
            return
        self._state.keys = keys
        logger.info("%d API keys read again", len(keys))


class _Server(uvicorn.Server):
    """uvicorn, whose signals mean ours: it would close WebSockets without their finals."""

    def __init__(self, config: uvicorn.Config, *, on_signal: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_signal = on_signal
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn."""
        del sig, frame
        self._loop.call_soon_threadsafe(self._on_signal)


async def _in_daemon(load: Callable[[], Engine]) -> Engine:
    """Engine that `load` gives, in a thread that a process which is told to end does not wait for."""
    loop = asyncio.get_running_loop()
    loaded: asyncio.Future[Engine] = loop.create_future()

    def settle(outcome: Callable[[], None]) -> None:
        if not loaded.done():
            outcome()

    def tell(outcome: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            loop.call_soon_threadsafe(settle, outcome)

    def work() -> None:
        try:
            engine = load()
        except BaseException as error:  # noqa: BLE001 - whoever waits decides
            tell(partial(loaded.set_exception, error))
        else:
            tell(partial(loaded.set_result, engine))

    threading.Thread(target=work, name="loading", daemon=True).start()
    return await loaded


def _engine(config: ServerConfig) -> Engine:
    prepare_model(
        config.model, config.model_dir, precision=config.precision, skip_quantize=config.skip_quantize
    )
    return load_engine(
        config.model, model_dir=config.model_dir, precision=config.precision, provider=config.provider,
        threads=config.threads,
    )  # fmt: skip


def _listen(config: ServerConfig) -> socket.socket:
    """A socket that accepts connections already: they wait until the server runs."""
    host = config.host.removeprefix("[").removesuffix("]")
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _warn_of(config: ServerConfig) -> None:
    """Warn of what an operator may not have meant."""
    if not is_loopback(config.host) and config.api_key_file is None:
        logger.warning(
            "whoever reaches %s can use this server: nothing asks callers who they are", config.host
        )
    elif not is_loopback(config.host):
        logger.warning(
            "API keys come to %s in plain HTTP: whoever listens on the way has them; a proxy with TLS helps",
            config.host,
        )
    if config.cors_allow_any:
        logger.warning("--cors-allow-any: every web page that somebody here visits can use this server")
    limit_s = config.session_limit_s
    if limit_s is not None and limit_s < config.idle_timeout_secs:
        logger.warning("--max-session-secs is below --idle-timeout-secs, which then never takes effect")
