"""Record files of streams, scored: error rates against the file path, latencies, stability, work."""

from __future__ import annotations

import itertools
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Unpack

from evaluation.records.files import Record, RecordFile
from evaluation.records.stream_log import StreamLog
from evaluation.report.report import shortened
from evaluation.scoring.compare import compare
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.options import DEFAULTS, Options, OptionsDict
from evaluation.scoring.scores import Score, labels, score
from evaluation.statistics.intervals import Interval, PairedDifference, interval
from evaluation.statistics.quantiles import Quantiles, quantiles
from evaluation.stream_study.measures import Ending, Measures, measures, settling_s

logger = logging.getLogger(__name__)

LATENCIES: Final = {
    "first_text": "first text, from first audio",
    "first_text_from_onset": "first text, from onset of speech",
    "partial_lag": "partial lag",
    "decision_to_final": "decision to final",
    "end_to_final": "end of speech to final",
}


@dataclass(frozen=True, kw_only=True)
class Stability:
    """Stability: how much was taken back, pooled; see `measures`.

    Attributes:
        upwr, upwr_plain: Unstable partial word ratio as shown, and without case and punctuation.
        among_partials, among_partials_plain: Both ratios without what finals change.
        revised: Share of utterances that took back a word, as shown: unstable partial segment ratio.
    """

    upwr: Interval
    upwr_plain: Interval
    among_partials: Interval
    among_partials_plain: Interval
    revised: Interval


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamScore:
    """Scores of one system that was streamed to.

    Attributes:
        label: Short name of the system.
        finals: Score of the finals, joined.
        last_partials: Score of the last partial before each final, joined: what stood there when the final
            came.
        to_file: WER of the finals minus that of the file path; None without one.
        to_finals: WER of the last partials minus that of the finals.
        file_path: Name of the system of the file path; None without one.
        latencies: Latencies by the names of `LATENCIES`.
        stability: Shares of what was taken back.
        endings: Number of streams by the way their last final came, see `measures.Ending`.
        partials_per_s: Partials per second of the clips.
        work_per_s: Seconds of work per second streamed, noise after the clips included; NaN where not known.
        n_streams: Number of streams, failures among them.
        n_failed, n_without_result: Numbers of those that failed, and of those that showed no text at all.
        clip_s, longest_s: Seconds of clips, and of the longest stream.
        worst_behind_s: Seconds by which the latest piece of audio was handed over late, in any stream.
        n_growing: Number of streams that were handed over later at the end, by more than a chunk: the last
            quarter against the first.
    """

    label: str
    finals: Score = field(repr=False)
    last_partials: Score = field(repr=False)
    to_file: PairedDifference | None
    to_finals: PairedDifference
    file_path: str | None
    latencies: Mapping[str, Quantiles]
    stability: Stability
    endings: Mapping[Ending, int]
    partials_per_s: float
    work_per_s: float
    n_streams: int
    n_failed: int
    n_without_result: int
    clip_s: float
    longest_s: float
    worst_behind_s: float
    n_growing: int

    @property
    def file(self) -> RecordFile:
        """Record file that was scored."""
        return self.finals.file

    @property
    def info(self) -> Mapping[str, Any]:
        """Facts of the system, as its header says."""
        return self.file.header.system_info


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """Scores of systems that were streamed to, and of whole files beside them.

    Attributes:
        common: Common parts of the systems' names.
        streams: Scores of streams by label.
        whole_files: Scores of record files that hold no streams, by the system's name.
    """

    common: str
    streams: Mapping[str, StreamScore]
    whole_files: Mapping[str, Score]


def study(files: Sequence[RecordFile], options: Options = DEFAULTS, **changes: Unpack[OptionsDict]) -> Study:
    """Scores of record files of streams.

    Args:
        files: Record files. Those without a stream in any record are of whole files, to compare with: each
            stream with the one that its header names, else with the first.
        options: Options of the scores.
        **changes: Single options by keyword, in place of those in `options`, as of `scoring.scores.score`.

    Raises:
        ScoreError: none holds streams, or one cannot be scored so.
        ValueError: an option outside its range.
    """
    options = replace(options, **changes)
    streamed = [file for file in files if is_streamed(file)]
    if not streamed:
        raise ScoreError("none of these records is of a stream; make some with the command stream")
    baselines = {file.header.system: file for file in files if not is_streamed(file)}
    common, names = shortened(labels(streamed))
    return Study(
        common=common,
        streams={
            name: stream_score(file, _baseline(file, baselines), options, label=name)
            for name, file in zip(names, streamed, strict=True)
        },
        whole_files={name: score(file, options) for name, file in baselines.items()},
    )


def is_streamed(file: RecordFile) -> bool:
    """True if its records are of streams; of a file in which all failed, its header says."""
    kind = str(file.header.system_info.get("kind", ""))
    return kind.startswith("stream") or any(record.stream is not None for record in file.records)


def stream_score(
    file: RecordFile,
    file_path: RecordFile | None = None,
    options: Options = DEFAULTS,
    *,
    label: str = "",
    **changes: Unpack[OptionsDict],
) -> StreamScore:
    """Score of one file of streams; see `study`."""
    options = replace(options, **changes)
    partials = with_last_partials(file)
    difference = compare(partials, file, options)
    to_file = None
    if file_path is not None:
        try:
            to_file = compare(file, file_path, options).wer
        except ScoreError as error:
            logger.warning("not compared with the file path: %s", error)
            file_path = None
    logs = logs_of(file)
    found = [measures(log) for log in logs]
    work = [
        (record.work_s, record.stream.streamed_s)
        for record in file.records
        if record.stream is not None and record.work_s is not None
    ]
    clip_s = sum(log.clip_s for log in logs)
    return StreamScore(
        label=label or file.header.system,
        finals=difference.b,
        last_partials=difference.a,
        to_file=to_file,
        to_finals=difference.wer,
        file_path=None if file_path is None else file_path.header.system,
        latencies=_latencies(found, difference.b),
        stability=_stability(file, found, difference.b),
        endings=Counter(each.ending for each in found),
        partials_per_s=_ratio(sum(each.n_partials for each in found), clip_s),
        work_per_s=_ratio(sum(pair[0] for pair in work), sum(pair[1] for pair in work)),
        n_streams=len(file.records),
        n_failed=sum(record.error is not None for record in file.records),
        n_without_result=sum(each.first_text_s is None for each in found),
        clip_s=clip_s,
        longest_s=max((log.streamed_s for log in logs), default=math.nan),
        worst_behind_s=max((each.worst_behind_s for each in found), default=math.nan),
        n_growing=sum(_grows(each, log) for each, log in zip(found, logs, strict=True)),
    )


def settling_of(file: RecordFile, form: Callable[[str], str] = str) -> list[float]:
    """Seconds that each word of the finals took to settle, of all streams; see `measures.settling_s`."""
    return [seconds for log in logs_of(file) for seconds in settling_s(log.events, form)]


def logs_of(file: RecordFile) -> list[StreamLog]:
    """Logs of the streams in a record file."""
    return [record.stream for record in file.records if record.stream is not None]


def with_last_partials(file: RecordFile) -> RecordFile:
    """The file with the last partial before each final in its place; one without a partial gives nothing."""
    header = replace(file.header, system=f"{file.header.system} last partials")
    return replace(file, header=header, records=tuple(map(_with_last_partials, file.records)))


def _with_last_partials(record: Record) -> Record:
    if record.stream is None:
        return record
    last = {event.utterance: event.text for event in record.stream.events if event.kind == "partial"}
    ended = [event.utterance for event in record.stream.events if event.kind == "final"]
    texts = [last.get(utterance, "") for utterance in dict.fromkeys(ended)]
    return replace(record, hypothesis=" ".join(text for text in texts if text), words=())


def _baseline(file: RecordFile, baselines: Mapping[str, RecordFile]) -> RecordFile | None:
    named = baselines.get(str(file.header.system_info.get("file_path")))
    return named or next(iter(baselines.values()), None)


def _grows(each: Measures, log: StreamLog) -> bool:
    return len(log.chunks) > 1 and each.growth_s > log.chunks[0][0]


def _latencies(found: Sequence[Measures], scored: Score) -> dict[str, Quantiles]:
    of_each: dict[str, list[tuple[float, ...]]] = {
        "first_text": [_values(each.first_text_s) for each in found],
        "first_text_from_onset": [_values(each.first_text_from_onset_s) for each in found],
        "partial_lag": [each.partial_lags_s for each in found],
        "decision_to_final": [each.decisions_s for each in found],
        "end_to_final": [_values(each.end_to_final_s) for each in found],
    }
    return {name: quantiles(values, scored.options) for name, values in of_each.items()}


def _stability(file: RecordFile, found: Sequence[Measures], scored: Score) -> Stability:
    counts = [each.instability for each in found]
    names = scored.block_names
    has_log = [record.stream is not None for record in file.records]
    blocks = None if names is None else list(itertools.compress(names, has_log))

    def rate(what: str, of: str = "n_words") -> Interval:
        return interval(
            [getattr(each, what) for each in counts],
            [getattr(each, of) for each in counts],
            scored.options,
            blocks=blocks,
            bounded=what == "n_revised",
        )

    return Stability(
        upwr=rate("unstable"),
        upwr_plain=rate("unstable_plain"),
        among_partials=rate("among_partials"),
        among_partials_plain=rate("among_partials_plain"),
        revised=rate("n_revised", "n_utterances"),
    )


def _values(value: float | None) -> tuple[float, ...]:
    return () if value is None else (value,)


def _ratio(value: float, of: float) -> float:
    return value / of if of else math.nan
