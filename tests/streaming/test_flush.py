"""Utterances that are ended from outside, and options that change in the middle of a stream."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from gigastt_lab.streaming.options import PRESETS, StreamOptions, with_silence

RATE = 16_000
PAUSE = np.zeros(RATE, np.float32)


def finals_of(results):
    return [result for result in results if result.kind == "final"]


def texts_of(results):
    return [result.text for result in finals_of(results)]


@pytest.fixture(scope="module")
def two(clear_clips):
    """Two utterances with a second of silence behind each."""
    return [np.concatenate([clip.waveform, PAUSE]) for clip in clear_clips[:2]]


@pytest.mark.parametrize("chunk", [160, 1_777, 10**6])
def test_flush_ends_an_utterance_before_its_pause_does(engine, clear_clips, two, chunk):
    session = engine.stream()
    cut = len(clear_clips[0].waveform) + RATE // 10  # the pause has hardly begun
    results = []
    for at in range(0, cut, chunk):
        results += session.accept(two[0][at : min(at + chunk, cut)])
    assert finals_of(results) == []
    (final,) = session.flush()
    assert (final.text, final.reason, final.utterance) == (clear_clips[0].text, "flush", 0)
    assert final.stable == len(final.text)
    assert final.end <= cut / RATE
    assert final.words[-1].end <= final.end
    results = [*session.accept(two[0][cut:]), *session.accept(two[1]), *session.finish()]
    assert texts_of(results) == [clear_clips[1].text]
    assert finals_of(results)[0].utterance == 1
    assert finals_of(results)[0].start >= final.end


def test_flush_where_nothing_was_said_gives_nothing(engine, two, clear_clips):
    session = engine.stream()
    assert session.flush() == []
    session.accept(PAUSE)
    assert session.flush() == session.flush() == []
    results = session.accept(two[0])
    assert texts_of(results) == [clear_clips[0].text]
    assert session.flush() == []
    assert session.finish() == []


def test_flush_within_speech_loses_no_audio(engine, two):
    """A word may be cut in two; all others are in one final or the other, in order."""
    session = engine.stream()
    half = len(two[0]) // 3
    results = [
        *session.accept(two[0][:half]),
        *session.flush(),
        *session.accept(two[0][half:]),
        *session.finish(),
    ]
    one, other = finals_of(results)
    assert (one.reason, other.reason) == ("flush", "silence")
    assert one.end == other.start
    words = [word for final in (one, other) for word in final.words]
    assert all(first.start <= second.start for first, second in pairwise(words))


def test_flush_after_the_end_is_refused(engine):
    session = engine.stream()
    session.finish()
    for act in (session.flush, lambda: session.configure(PRESETS["accurate"])):
        with pytest.raises(ValueError, match="has ended"):
            act()


def test_options_hold_from_the_audio_on_that_comes_after_them(engine, two, clear_clips):
    session = engine.stream()
    results = session.accept(two[0])
    session.configure(with_silence(StreamOptions(), 2_000))
    results += [*session.accept(two[1]), *session.accept(two[0]), *session.finish()]
    assert len(texts_of(results)) == 2  # the second pause ends nothing any more
    assert texts_of(results)[0] == clear_clips[0].text
    assert texts_of(results)[1].startswith(clear_clips[1].text.split()[0])


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_options_once_more_change_nothing(engine, two, preset):
    audio = np.concatenate(two)
    plain, changed = engine.stream(RATE, preset), engine.stream(RATE, preset)
    expected = [*plain.accept(audio), *plain.finish()]
    results = []
    for at in range(0, len(audio), 3_333):
        changed.configure(PRESETS[preset])
        results += changed.accept(audio[at : at + 3_333])
    results += changed.finish()
    assert [(each.kind, each.text, each.end) for each in results] == [
        (each.kind, each.text, each.end) for each in expected
    ]


def test_presets_that_change_in_mid_utterance_keep_what_was_promised(engine, two):
    """Stable prefixes stay, finals are those of one pass, whatever preset shows the partials."""
    audio = np.concatenate(two)
    session = engine.stream()
    results = []
    for number, at in enumerate(range(0, len(audio), 2_000)):
        chosen = list(PRESETS.values())[number % len(PRESETS)]
        session.configure(replace(chosen, endpoint=StreamOptions().endpoint))
        results += session.accept(audio[at : at + 2_000])
    results += session.finish()
    plain = engine.stream()
    assert texts_of(results) == texts_of([*plain.accept(audio), *plain.finish()])
    for one, other in pairwise(results):
        if one.kind == other.kind == "partial" and one.utterance == other.utterance:
            assert other.text.startswith(one.text[: one.stable])


def test_a_stream_keeps_or_lacks_partials_as_it_began(engine):
    session = engine.stream()
    with pytest.raises(ValueError, match="as it began"):
        session.configure(StreamOptions(partials=False))


def test_a_silence_that_cannot_be_is_refused():
    assert with_silence(PRESETS["accurate"], 5_000).endpoint.min_silence_ms == 5_000
    assert with_silence(PRESETS["accurate"], 5_000).endpoint.min_blank_ms == 5_000
    assert with_silence(PRESETS["accurate"], 200).endpoint.min_blank_ms == 1_600
    for silence_ms in (99, 10_001):
        with pytest.raises(ValueError, match=f"min_silence_ms is {silence_ms}; give 100 to 10000"):
            with_silence(PRESETS["balanced"], silence_ms)
