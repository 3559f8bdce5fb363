"""Engines that are streamed to, and the study of what they said: tables, JSON, page and plots."""

import json

import numpy as np
import pytest

from evaluation.datasets.utterances import Utterance
from evaluation.scoring.counting import ScoreError
from evaluation.show.display import DASH
from evaluation.stream_study import plots
from evaluation.stream_study.clocks import SimulatedClock
from evaluation.stream_study.engine_stream import StreamChoice
from evaluation.stream_study.feeding import Feeding
from evaluation.stream_study.joined import Joined
from evaluation.stream_study.measures import plain
from evaluation.stream_study.report import settling, write_report
from evaluation.stream_study.study import LATENCIES, settling_of, study, with_last_partials
from evaluation.stream_study.tables import (
    as_content,
    latency_table,
    notes,
    stability_table,
    streams_table,
    text_table,
)
from evaluation.systems.base import Outcome
from gigastt_lab.streaming.options import PRESETS
from tests.support.streams_made import Engine, Time, file_of, system, tone, without_streams


@pytest.fixture
def time():
    return Time()


def streamed(time, *clips, feeding=None, **session):
    made = system(Engine(time, **session), feeding=feeding, new_clock=lambda: SimulatedClock(time))
    return made.transcribe(list(clips))


def test_a_clip_is_a_stream_and_its_finals_are_the_hypothesis(time):
    [outcome] = streamed(time, tone(2.0), work_s=0.01)
    assert (outcome.hypothesis, outcome.error, outcome.audio_s) == ("Раз два.", None, 2.0)
    assert outcome.words == (("Раз", 0.1, 0.2, 0.9), ("два.", 0.1, 0.2, 0.9))
    log = outcome.stream
    assert len(log.chunks) == 40  # 2 s of clip and 2 s of noise, by 100 ms
    assert outcome.work_s == pytest.approx(0.41)  # the stop is work, too
    assert log.speech == pytest.approx((0.2, 1.8), abs=0.011)
    # Work of 10 ms fits into the 100 ms between pieces: each is handed over when it is there.
    assert [handed_s - end_s for end_s, handed_s in log.chunks] == pytest.approx([0.0] * 40, abs=1e-9)
    assert [(event.kind, event.text) for event in log.events] == [("partial", "раз"), ("final", "Раз два.")]
    assert [event.at_s for event in log.events] == pytest.approx([1.01, 2.01])


def test_work_slower_than_the_speech_shows_in_every_time(time):
    [outcome] = streamed(time, tone(2.0), work_s=0.15)
    found = study([file_of([outcome])]).streams["made"]
    # The first piece is handed over at 0.1; each next one 50 ms later than its own time.
    assert found.worst_behind_s == pytest.approx(39 * 0.05)
    assert found.n_growing == 1
    assert found.latencies["partial_lag"].p50 == pytest.approx(9 * 0.05 + 0.15)
    assert found.work_per_s == pytest.approx((40 * 0.15 + 0.15) / 4)
    assert "fell behind in 1 stream" in notes(study([file_of([outcome])]))[-1]


def test_a_clip_whose_silence_is_too_short_ends_by_the_stop(time):
    [outcome] = streamed(time, tone(1.0), feeding=Feeding(silence_ms=500), final_s=9.0)
    assert outcome.stream.events[-1].reason == "stop"
    found = study([file_of([outcome])]).streams["made"]
    assert found.endings == {"stop": 1}
    assert found.latencies["end_to_final"].n == found.latencies["decision_to_final"].n == 0


def test_one_that_fails_is_an_outcome_and_so_is_what_cannot_be_decoded(time):
    failed, undecodable = streamed(time, tone(1.0), fails=True) + streamed(time, b"no audio")
    assert failed.error == "RuntimeError: no memory"
    assert failed.audio_s == 1.0
    assert undecodable.error
    found = study([file_of([failed, undecodable])]).streams["made"]
    assert (found.n_streams, found.n_failed, found.finals.wer.rate) == (2, 2, 1.0)
    assert np.isnan(found.work_per_s)


def test_several_streams_run_beside_each_other_in_real_time_only(time):
    with pytest.raises(ValueError, match="need the real clock"):
        system(Engine(time), n_streams=2)
    both = system(
        Engine(time), n_streams=2, feeding=Feeding(clock="real"), new_clock=lambda: SimulatedClock(time)
    )
    assert both.batch_size == 2
    assert both.name == "made_stream_balanced_x2_real"
    assert [outcome.audio_s for outcome in both.transcribe([tone(1.0), tone(0.5)])] == [1.0, 0.5]


def test_options_are_changed_by_their_names(time):
    made = system(Engine(time), preset="low-latency", chunk_ms="320", min_silence_ms="800", partials="false")
    assert made.name == "made_stream_low-latency_chunk_ms-320_min_silence_ms-800_partials-false"
    options = made.info["stream_options"]
    assert (options["chunk_ms"], options["endpoint"]["min_silence_ms"], options["partials"]) == (
        320,
        800,
        False,
    )
    assert options["left_ms"] == PRESETS["low-latency"].left_ms
    json.dumps(made.info)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"speed": "1"}, "no option 'speed'.*chunk_ms"),
        ({"chunk_ms": "fast"}, "chunk_ms is 'fast'"),
        ({"chunk_ms": "100"}, "multiple of 40"),
        ({"partials": "1"}, "true or false"),
        ({"min_silence_ms": "1"}, "min_silence_ms is 1"),
    ],
)
def test_options_that_cannot_be(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        StreamChoice.of("balanced", changes)


def test_the_last_partial_stands_for_what_was_there_before_the_final(time):
    outcomes = [*streamed(time, tone(2.0), tone(3.0)), Outcome(error="gone")]
    file = file_of(outcomes)
    assert [record.hypothesis for record in with_last_partials(file).records] == ["раз", "раз", None]
    found = study([file, without_streams(file)], n_resamples=100).streams["made"]
    # Finals: 2 of 6 words lost with the stream that failed; last partials lack a word each, too.
    assert found.finals.wer.rate == pytest.approx(2 / 6)
    assert found.last_partials.wer.rate == pytest.approx(4 / 6)
    assert found.to_finals.difference == pytest.approx(2 / 6)
    assert (found.to_file.difference, found.file_path) == (0.0, "whole files")
    assert found.partials_per_s == pytest.approx(2 / 5)


def test_a_stream_is_compared_with_the_file_path_that_it_names(time):
    [outcome] = streamed(time, tone(2.0))
    file = file_of([outcome])
    file.header.system_info["file_path"] = "its own"
    others = [without_streams(file, name=name) for name in ("another", "its own")]
    assert study([*others, file]).streams["made"].file_path == "its own"
    assert study([file]).streams["made"].to_file is None
    stranger = without_streams(file_of([outcome] * 2), name="its own")
    assert study([file, stranger]).streams["made"].to_file is None  # not the same utterances


def test_without_streams_there_is_no_study(time):
    with pytest.raises(ScoreError, match="command stream"):
        study([without_streams(file_of(streamed(time, tone(2.0))))])


def test_nothing_said_is_counted(time):
    silent = streamed(time, tone(1.0), feeding=Feeding(silence_ms=500), final_s=9.0)[0]
    log = silent.stream
    nothing = Outcome(hypothesis="", audio_s=1.0, stream=type(log)(**{**vars(log), "events": ()}))
    found = study([file_of([nothing])])
    one = found.streams["made"]
    assert (one.n_without_result, one.endings) == (1, {"none": 1})
    assert latency_table(found).iloc[0].tolist()[1:] == ["–"] * len(LATENCIES)
    assert settling(one) == {}
    json.dumps(as_content(found), default=str)


@pytest.fixture
def two_systems(time):
    files = []
    for name, work_s in (("made_a", 0.02), ("made_b", 0.12)):
        outcomes = streamed(time, tone(2.0), tone(3.0), tone(2.5), work_s=work_s)
        long = [f"раз два три четыре {n}" for n in range(3)]
        outcomes = [
            Outcome(**{**vars(one), "hypothesis": said}) for one, said in zip(outcomes, long, strict=True)
        ]
        files.append(file_of(outcomes, name=name))
    return study([*files, without_streams(files[0])], n_resamples=100)


def test_tables_have_a_row_for_each_system(two_systems):
    assert text_table(two_systems).iloc[:, 0].tolist() == ["a", "b"]
    row = latency_table(two_systems).iloc[0]
    assert row["Partial lag"] == "20 / 20 / 20"
    assert streams_table(two_systems)["Falling behind"].tolist() == ["0", "3"]
    assert "Simulated clock" in notes(two_systems)[0]
    content = as_content(two_systems)
    assert [one["label"] for one in content["streams"]] == ["a", "b"]
    assert content["streams"][0]["latencies"]["partial_lag"]["p95"] == pytest.approx(0.02)


@pytest.mark.slow
def test_the_page_needs_nothing_else(two_systems, tmp_path):
    page_path, text_path = write_report(two_systems, tmp_path)
    page = page_path.read_text("utf-8")
    assert page.count("<svg") == 3 + len(LATENCIES) + 2 * 2 + 1
    assert "Simulated clock" in page
    figures = list((tmp_path / "report_figures").glob("streaming-*.svg"))
    assert len(figures) == page.count("<svg")
    assert all(f"report_figures/{each.name}" in text_path.read_text("utf-8") for each in figures)


def test_a_raster_shows_every_word_in_its_time(time):
    [outcome] = streamed(time, tone(3.0), final_s=3.0)
    ax = plots.raster(outcome.stream)
    bars = {(bar.get_y() + 0.4, round(bar.get_x(), 2), round(bar.get_width(), 2)) for bar in ax.patches}
    # "раз" from 1.01, "раз два" from 2.01, the final from 3.01 to the end 0.4 s later
    assert {(0.0, 1.01, 2.0), (1.0, 2.01, 1.0), (0.0, 3.01, 0.4), (1.0, 3.01, 0.4)} == {
        (round(y, 1), x, width) for y, x, width in bars
    }
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Раз", "два."]


def test_by_the_ideal_clock_only_waiting_is_left(time):
    made = system(Engine(time, work_s=0.05), feeding=Feeding(clock="ideal"))
    assert made.name == "made_stream_balanced_ideal"
    [outcome] = made.transcribe([tone(2.0)])
    assert [event.at_s for event in outcome.stream.events] == [1.0, 2.0]
    assert outcome.work_s is None
    file = file_of([outcome])
    file.header.system_info["clock"] = "ideal"
    found = study([file])
    assert "Ideal clock: work took no time" in notes(found)[0]
    assert found.streams["made"].latencies["partial_lag"].p99 == 0.0
    assert stability_table(found)["Work per s, ms"].tolist() == [DASH]
    with pytest.raises(ValueError, match="need the real clock"):
        system(Engine(time), feeding=Feeding(clock="ideal"), n_streams=2)


def test_how_words_settle_is_a_rising_share():
    ax = plots.settling({"a": (0.0, 0.0, 1.0, 3.0), "b": (0.5,), "none": ()})
    assert ax.get_xlabel().startswith("seconds")
    assert ax.get_ylabel().endswith("%")
    first, second = ax.lines
    assert first.get_ydata().tolist() == [50.0, 50.0, 50.0, 75.0, 100.0, 100.0]
    assert second.get_ydata().tolist() == [0.0, 100.0, 100.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert plots.settling({}).get_legend() is None


def test_words_of_all_streams_settle(time):
    file = file_of([*streamed(time, tone(2.0), tone(2.0)), Outcome(error="gone")])
    assert settling_of(file) == [1.0, 0.0] * 2  # "раз" at 1 s becomes "Раз" at 2 s, when "два." comes
    assert settling_of(file, plain) == [0.0, 0.0] * 2


class Clips:
    name, revision, description, drawing, n_rows, findings = "clips", "1", "three clips", {}, 3, ()
    n_expected = 3

    def __init__(self, *audios):
        self.audios = audios

    def __iter__(self):
        for number, audio in enumerate(self.audios):
            yield Utterance(f"clips/{number}", audio, f"раз {number}", speaker="s")


def test_clips_are_joined_to_long_streams():
    joined = list(Joined(Clips(tone(1.0), tone(2.0), tone(1.5)), 4))
    assert [(each.id, each.reference) for each in joined] == [
        ("clips/0+1", "раз 0 раз 1"),
        ("clips/2", "раз 2"),
    ]
    assert len(joined[0].audio) == 44 + 2 * 16_000 * (1 + 1 + 2 + 1)
    assert [each.audio for each in Joined(Clips(tone(1.0)), 4)] == [
        each.audio for each in Joined(Clips(tone(1.0)), 1)
    ]
