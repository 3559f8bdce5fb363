"""Live streams beside each other over WebSocket, at the pace of speech: how late results are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from evaluation.datasets.audio import Audio
from evaluation.server_study.client import Address
from evaluation.statistics.quantiles import Quantiles, quantiles
from evaluation.stream_study.feeding import Feeding
from evaluation.stream_study.measures import measures
from evaluation.stream_study.websocket import WebSocketOptions, WebSocketSystem
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY

_CLIP_S = 5.0  # about, with the noise behind it


@dataclass(frozen=True, kw_only=True)
class Streams:
    """Results of so many live streams at once.

    Attributes:
        n_at_once: Number of streams at once.
        n_streams: Number of streams in all.
        n_failed: Number of those that failed.
        partial_lag, decision_to_final: Latencies as of `evaluation.stream_study.measures`, in seconds.
        errors: Errors of those that failed, each once.
    """

    n_at_once: int
    n_streams: int
    n_failed: int
    partial_lag: Quantiles
    decision_to_final: Quantiles
    errors: tuple[str, ...]


def live_streams(address: Address, n_at_once: int, seconds: float) -> Streams:
    """Stream packaged clips, so many at once, for about so long.

    Raises:
        SystemUnavailableError: the server cannot be reached, or stays busy.
    """
    clips: list[Path] = sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac"))
    n_streams = n_at_once * max(1, math.ceil(seconds / _CLIP_S))
    audios: list[Audio] = [clips[number % len(clips)] for number in range(n_streams)]
    system = WebSocketSystem(
        WebSocketOptions(url=address.websocket_url), Feeding(clock="real"), n_streams=n_at_once
    )
    outcomes = system.transcribe(audios)
    found = [measures(outcome.stream) for outcome in outcomes if outcome.stream is not None]
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    return Streams(
        n_at_once=n_at_once,
        n_streams=n_streams,
        n_failed=len(errors),
        partial_lag=quantiles([each.partial_lags_s for each in found]),
        decision_to_final=quantiles([each.decisions_s for each in found]),
        errors=tuple(dict.fromkeys(errors)),
    )
