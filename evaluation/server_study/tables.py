"""Tables of the benchmark as people read them, and what to conclude; see `evaluation.show.display`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluation.server_study.benchmark import Benchmark
from evaluation.server_study.memory import TARGET
from evaluation.server_study.overhead import TARGET_S, Overhead
from evaluation.server_study.process import Footprint
from evaluation.show.display import DASH, count, decimal, estimate, table_of


def of_server(server: Mapping[str, Any]) -> str:
    """Line about the server, from what `/v1/models` tells."""
    what = f"{server.get('id')} {server.get('encoder')} on {server.get('provider')}"
    return f"{what}, {server.get('pool_size', '?')} permits"


def load_table(found: Benchmark) -> pd.DataFrame:
    """Rates and latencies by the number of clients."""
    return table_of(
        [
            {
                "Clients": count(each.n_clients),
                "Requests/s": estimate(each.rate.rate, each.rate.low, each.rate.high, scale=1000, digits=1),
                "p50, ms": estimate(
                    each.latency.p50, each.latency.low, each.latency.high, scale=1000, digits=1
                ),
                "p95, ms": decimal(1000 * each.latency.p95, 1),
                "p99, ms": decimal(1000 * each.latency.p99, 1),
                "200": count(each.n_ok),
                "503": count(each.n_busy),
                "Other": count(each.n_other),
            }
            for each in found.loads
        ]
    )


def overhead_table(found: Overhead) -> pd.DataFrame:
    """Overhead: the server beside its engine."""
    return table_of(
        [
            {
                "Through HTTP, p50, ms": decimal(1000 * found.http_s),
                "Engine alone, p50, ms": decimal(1000 * found.engine_s),
                "Difference, ms": estimate(found.difference_s, found.low, found.high, scale=1000, sign=True),
                "Outside of work, p50, ms": decimal(1000 * found.outside_s),
                "Requests": count(found.n_rounds * found.n_each),
            }
        ]
    )


def memory_table(found: Benchmark) -> pd.DataFrame:
    """Memory by the number of permits."""
    return table_of(
        [
            {
                "Permits": count(each.pool_size),
                "RSS loaded, MB": _megabytes(each.loaded),
                "RSS after load, MB": _megabytes(each.worked),
                "Peak, MB": DASH if each.worked is None else decimal(each.worked.peak_bytes / 1e6, 1),
                "Threads": DASH if each.worked is None else count(each.worked.n_threads),
            }
            for each in found.memory
        ]
    )


def streams_table(found: Benchmark) -> pd.DataFrame:
    """Latencies of live streams by their number."""
    return table_of(
        [
            {
                "Streams": count(each.n_at_once),
                "Partial lag, ms": each.partial_lag.to_text(),
                "Decision to final, ms": each.decision_to_final.to_text(),
                "In all": count(each.n_streams),
                "Failed": count(each.n_failed),
            }
            for each in found.streams
        ]
    )


def conclusions(found: Benchmark) -> list[str]:
    """Conclusions: what was to be reached, and whether it was."""
    told = []
    if found.overhead is not None:
        over = found.overhead
        sure = "" if (over.low <= TARGET_S) == (over.high <= TARGET_S) else ", though the interval says both"
        told.append(
            f"Overhead over the engine: {estimate(over.difference_s, over.low, over.high, scale=1000)} ms at "
            f"the median; at most {1000 * TARGET_S:g} ms was the target: {_met(over.is_met)}{sure}."
        )
    if found.memory:
        sizes = [each.pool_size for each in found.memory]
        loaded, worked = found.memory_growth
        verdict = DASH if math.isnan(worked) else _met(worked <= TARGET)
        told.append(
            f"Memory from {min(sizes)} to {max(sizes)} permits: {_growth(loaded)} when loaded, "
            f"{_growth(worked)} after the load; within {TARGET:.0%} was the target: {verdict}."
        )
    refused = sum(each.n_busy + each.n_other for each in found.loads)
    if refused:
        told.append(f"{count(refused)} requests were not answered with 200; no percentile holds their times.")
    told += [f"A stream failed: {error}" for each in found.streams for error in each.errors]
    return told


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def _growth(share: float) -> str:
    return DASH if math.isnan(share) else f"{decimal(100 * share, 1, sign=True)} %"


def _megabytes(found: Footprint | None) -> str:
    return DASH if found is None else decimal(found.resident_bytes / 1e6, 1)
