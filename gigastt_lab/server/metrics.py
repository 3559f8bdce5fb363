"""Metrics under gigastt's names, for Prometheus."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from gigastt_lab.server.errors import (
    CONNECTIONS_SATURATED,
    RATE_LIMIT_EXCEEDED,
    UNAUTHORIZED,
    UPLOADS_SATURATED,
)
from gigastt_lab.server.jobs.records import STATUSES, Status

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

# Label values come from these lists, never from a client: a scan of random paths makes no new series.
_METHODS: Final = frozenset({"GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE", "PATCH"})
PATHS: Final = (
    "/",
    "/health",
    "/ready",
    "/metrics",
    "/openapi.json",
    "/v1/models",
    "/v1/transcribe",
    "/v1/transcribe/stream",
    "/v1/audio/transcriptions",
    "/v1/jobs",
    "/v1/jobs/{job_id}",
    "/v1/jobs/{job_id}/result",
    "/v1/jobs/{job_id}/events",
    "/v1/ws",
)
_OTHER: Final = "other"
_JOB: Final = re.compile(r"^/v1/jobs/[^/]+")

# Seconds. Source: gigastt 2.0, `metrics.rs`; longer ones are added for long files.
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_RTF_BUCKETS: Final = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
# Counters of what is refused before it reaches its route, by the error's code.
_REFUSALS: Final = {
    RATE_LIMIT_EXCEEDED.code: (
        "gigastt_rate_limit_rejections", "Requests refused because their client sent too many."
    ),
    UNAUTHORIZED.code: (
        "gigastt_unauthorized", "Requests refused because they had no API key, or none that is known."
    ),
    CONNECTIONS_SATURATED.code: (
        "gigastt_connection_rejections", "Connections refused because too many were open."
    ),
    UPLOADS_SATURATED.code: (
        "gigastt_upload_rejections", "Requests refused because too many bodies were held."
    ),
}  # fmt: skip


class Metrics:
    """One server's counters; several in a process do not meet."""

    def __init__(
        self,
        *,
        pool_available: Callable[[], int],
        pool_waiters: Callable[[], int],
        connections: Callable[[], int],
        uploads: Callable[[], int],
        jobs: Callable[[Status], int],
        jobs_bytes: Callable[[], int],
    ) -> None:
        """Begin at zero; what is now (permits, connections, uploads) is asked for when it is read."""
        # They would be a second series for every counter, which gigastt does not have.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "gigastt_http_requests",
            "HTTP requests answered.",
            ["method", "path", "status"],
            registry=registry,
        )
        self._request_s = Histogram(
            "gigastt_http_request_duration_seconds", "From a request to the end of its answer.",
            ["method", "path"], buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self.inference_s = Histogram(
            "gigastt_inference_duration_seconds", "Work on one file, or on one piece of a stream, decoding "
            "included, waiting not.", buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self.checkout_s = Histogram(
            "gigastt_pool_checkout_duration_seconds",
            "Wait for a permit.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self.pool_timeouts = Counter(
            "gigastt_pool_timeouts", "Waits for a permit that ended without one.", registry=registry
        )
        self._refused = {
            code: Counter(name, told, registry=registry) for code, (name, told) in _REFUSALS.items()
        }
        self.ws_active = Gauge(
            "gigastt_ws_active_connections", "WebSockets that are open.", registry=registry
        )
        self.audio_s = Counter("gigastt_audio_seconds", "Audio recognised, in seconds.", registry=registry)
        self.real_time_factor = Histogram(
            "gigastt_real_time_factor", "Seconds of work per second of audio, of one file or session.",
            buckets=_RTF_BUCKETS, registry=registry,
        )  # fmt: skip
        by_status = Gauge("gigastt_jobs", "Jobs of /v1/jobs that are kept.", ["status"], registry=registry)
        for status in STATUSES:
            by_status.labels(status).set_function(partial(jobs, status))
        for name, told, read in (
            ("gigastt_pool_available", "Permits that are free.", pool_available),
            ("gigastt_pool_waiters", "Requests that wait for a permit.", pool_waiters),
            ("gigastt_connections", "Connections that are open, WebSockets among them.", connections),
            ("gigastt_jobs_bytes", "Bytes that the recordings and results of jobs take.", jobs_bytes),
            ("gigastt_uploads", "Bodies that are held: being received, waiting, or worked on.", uploads),
        ):
            Gauge(name, told, registry=registry).set_function(read)

    def request(self, method: str, path: str, status: int, took_s: float) -> None:
        """Count a request that was answered."""
        method = method if method in _METHODS else _OTHER
        path = _JOB.sub("/v1/jobs/{job_id}", path)
        path = path if path in PATHS else _OTHER
        self._requests.labels(method, path, str(status)).inc()
        self._request_s.labels(method, path).observe(took_s)

    def refused(self, code: str) -> None:
        """Count a request that was refused before it reached its route."""
        if code in self._refused:
            self._refused[code].inc()

    def worked(self, audio_s: float, work_s: float) -> None:
        """Count a file or session that is done."""
        self.audio_s.inc(audio_s)
        if audio_s > 0:
            self.real_time_factor.observe(work_s / audio_s)

    def text(self) -> bytes:
        """All metrics, in Prometheus' text format."""
        return generate_latest(self._registry)
