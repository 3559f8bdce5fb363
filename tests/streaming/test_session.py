"""Live streams: the real demo model on real audio, and a language of tones where every answer is known."""

from __future__ import annotations

import threading
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigastt_lab import AudioError
from gigastt_lab.audio.reading import from_array
from gigastt_lab.streaming.options import PRESETS, EndpointOptions, StreamOptions
from tests.support.examples import examples
from tests.support.tones import TONES_HZ, said, speak, tone_stream
from tests.support.word_errors import word_errors

RATE = 16_000
CHUNKS = {"1 ms": 16, "20 ms": 320, "100 ms": 1_600, "odd": 777, "1 s": 16_000, "whole": 10**9}


def fed(session, waveform, chunk=1_600):
    results = []
    for at in range(0, len(waveform), chunk):
        results += session.accept(waveform[at : at + chunk])
    return results + session.finish()


def finals_of(results):
    return [result for result in results if result.kind == "final"]


def with_pauses(clips, pause_s=1.0):
    """The clips one after the other, a faintly noisy pause behind each; PCM16 holds it exactly."""
    rng = np.random.default_rng(0)
    parts = []
    for clip in clips:
        pause = rng.integers(-2, 3, round(pause_s * RATE)) / 2**15
        parts += [clip.waveform, pause.astype(np.float32)]
    return np.concatenate(parts)


def check_order(results):
    """What holds for the results of every stream."""
    finals = finals_of(results)
    numbers = [result.utterance for result in results]
    assert numbers == sorted(numbers)
    assert [final.utterance for final in finals] == list(range(len(finals)))
    assert all(one.end <= other.start + 1e-9 for one, other in pairwise(finals))
    words = [word for final in finals for word in final.words]
    assert all(word.start <= word.end for word in words)
    assert all(one.start <= other.start and one.end <= other.end + 1e-9 for one, other in pairwise(words))
    assert all(one.heard <= other.heard for one, other in pairwise(results))
    for final in finals:
        assert final.reason in {"silence", "limit", "stop"}
        assert final.stable == len(final.text)
        assert all(final.start <= word.start <= word.end <= final.end for word in final.words)
    for one, other in pairwise(results):
        assert 0 <= one.stable <= len(one.text)
        if one.utterance == other.utterance and other.kind == "partial":
            assert one.kind == "partial"
            assert other.text.startswith(one.text[: one.stable])


# -- the demo model -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recording(clear_clips):
    return with_pauses(clear_clips[:4])


@pytest.fixture(scope="module")
def whole(engine, recording):
    return fed(engine.stream(), recording)


def test_finals_are_as_good_as_files(engine, clear_clips, whole):
    """Against what was said, for the pauses around an utterance are context that its file has not."""
    spoken = clear_clips[:4]
    finals = [final.text for final in finals_of(whole)]
    files = [engine.transcribe(clip.waveform, sample_rate=RATE).text for clip in spoken]
    errors_of_finals, errors_of_files = (
        sum(map(word_errors, texts, (clip.text for clip in spoken))) for texts in (finals, files)
    )
    assert errors_of_finals <= errors_of_files
    check_order(whole)
    assert {final.reason for final in finals_of(whole)} == {"silence"}


def test_partials_come_while_an_utterance_is_spoken(whole, clear_clips):
    starts = np.cumsum([0, *(len(clip.waveform) / RATE + 1.0 for clip in clear_clips[:4])])
    for number, final in enumerate(finals_of(whole)):
        partials = [r for r in whole if r.utterance == number and r.kind == "partial"]
        assert len(partials) >= 2
        assert starts[number] < partials[0].heard < final.heard < starts[number + 1]
        assert any(0 < partial.stable < len(partial.text) for partial in partials)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_chunk_sizes_change_nothing(engine, recording, whole, chunk):
    assert fed(engine.stream(), recording, chunk) == whole


@pytest.mark.slow
@pytest.mark.parametrize("n_bytes", [1, 7, 333, 3_200])
def test_pcm16_may_be_cut_anywhere(engine, recording, whole, n_bytes):
    pcm16 = (recording * 2**15).astype("<i2").tobytes()
    pcm16, expected = (pcm16, whole) if n_bytes > 1 else (pcm16[: 6 * RATE], None)
    session = engine.stream()
    results = []
    for at in range(0, len(pcm16), n_bytes):
        results += session.accept(pcm16[at : at + n_bytes])
    results += session.finish()
    assert results == (expected or fed(engine.stream(), recording[: 3 * RATE]))


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100, 48_000])
def test_chunks_change_nothing_at_other_rates_either(engine, clear_clips, rate):
    waveform = from_array(with_pauses(clear_clips[:1]), RATE, sample_rate_out=rate)
    results = fed(engine.stream(rate), waveform, 10**9)
    assert fed(engine.stream(rate), waveform, 997) == results
    (final,) = finals_of(results)
    if rate > RATE:
        assert final.text == engine.transcribe(clear_clips[0].waveform, sample_rate=RATE).text


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_presets(engine, recording, whole, preset):
    results = fed(engine.stream(options=preset), recording)
    check_order(results)
    # The low-latency preset may end an utterance in a pause that the others wait out.
    texts = [" ".join(final.text for final in finals_of(each)).lower() for each in (results, whole)]
    strip = str.maketrans("", "", ".,!?")
    assert texts[0].translate(strip) == texts[1].translate(strip)


def test_without_partials_loudness_ends_utterances(engine, recording, whole):
    results = fed(engine.stream(options=StreamOptions(partials=False)), recording)
    assert {result.kind for result in results} == {"final"}
    assert [final.text for final in results] == [final.text for final in finals_of(whole)]
    check_order(results)


def test_stop_recognises_what_is_left(engine, clear_clips):
    waveform = clear_clips[0].waveform
    spoken = np.flatnonzero(np.abs(waveform) > 0.01)
    waveform = waveform[: spoken[-1]]  # not a sample of silence behind the last word
    results = fed(engine.stream(), waveform)
    (final,) = finals_of(results)
    assert final.reason == "stop"
    assert final.text == engine.transcribe(waveform, sample_rate=RATE).text
    assert final.end == final.heard == len(waveform) / RATE
    assert results[-1] is final


@pytest.mark.slow
def test_streams_do_not_see_each_other(engine, clear_clips):
    waveforms = [with_pauses(clear_clips[n : n + 2]) for n in range(0, 6, 2)]
    alone = [fed(engine.stream(), waveform) for waveform in waveforms]
    sessions = [engine.stream() for _ in waveforms]
    in_turn = [[] for _ in waveforms]
    for at in range(0, max(map(len, waveforms)), 1_600):
        for session, waveform, results in zip(sessions, waveforms, in_turn, strict=True):
            results.extend(session.accept(waveform[at : at + 1_600]))
    for session, results in zip(sessions, in_turn, strict=True):
        results.extend(session.finish())
    assert in_turn == alone
    at_once = [[] for _ in waveforms]
    threads = [
        threading.Thread(target=lambda n=n: at_once[n].extend(fed(engine.stream(), waveforms[n])))
        for n in range(len(waveforms))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert at_once == alone


# -- empty and bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("audio", [b"", b"\0", b"\0\0", bytes(2 * RATE), bytes(20 * RATE)])
def test_nothing_said_gives_nothing(engine, audio):
    session = engine.stream()
    assert session.accept(audio) == []
    assert session.finish() == []


def test_an_ended_stream_takes_no_more(engine):
    session = engine.stream()
    session.finish()
    with pytest.raises(ValueError, match="ended; open another"):
        session.accept(b"\0\0")
    with pytest.raises(ValueError, match="ended; open another"):
        session.finish()


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 100), np.float32), np.array([0.1, np.nan]), np.array([1e6]), np.zeros(9, np.int8)]
)
def test_bad_audio_is_refused_and_leaves_the_stream_as_it_was(engine, recording, whole, bad):
    session = engine.stream()
    results = session.accept(recording[:20_000])
    with pytest.raises(AudioError):
        session.accept(bad)
    assert results + fed(session, recording[20_000:]) == whole


@pytest.mark.parametrize("rate", [0, 10, 10**6])
def test_impossible_rates_are_refused(engine, rate):
    with pytest.raises(AudioError, match="sample rate"):
        engine.stream(rate)


def test_unknown_presets_are_refused(engine):
    with pytest.raises(ValueError, match="there is no preset 'fast'; choose one of low-latency"):
        engine.stream(options="fast")


# -- a language of tones ------------------------------------------------------------------------------------


@st.composite
def spoken(draw):
    """Words with gaps of up to 3 s between them, and where the stream stops."""
    gaps = draw(st.lists(st.floats(0.2, 3.0) | st.floats(0.2, 0.4), min_size=1, max_size=60))
    starts = np.cumsum(gaps)
    tones = draw(st.lists(st.integers(0, len(TONES_HZ) - 1), min_size=len(gaps), max_size=len(gaps)))
    return list(zip(starts.tolist(), tones, strict=True)), starts[-1] + draw(st.floats(0.25, 3.0))


@settings(max_examples=examples(60))
@given(spoken(), st.integers(400, 40_000), st.sampled_from([5_000, 9_000, 22_000]))
def test_every_word_once_in_order_at_its_time(case, chunk, max_utterance_ms):
    words, duration_s = case
    waveform = speak(words, duration_s)
    options = StreamOptions(endpoint=EndpointOptions(max_utterance_ms=max_utterance_ms))
    session, _ = tone_stream(options)
    results = fed(session, waveform, chunk)
    check_order(results)
    finals = finals_of(results)
    heard = [word for final in finals for word in final.words]
    assert [word.text for word in heard] == said(words)
    for word, (start_s, _) in zip(heard, words, strict=True):
        assert start_s - 0.045 <= word.start <= start_s + 0.085
    for final in finals:
        assert final.end - final.start <= max_utterance_ms / 1000 + 2.2
        # Every word lies in its own utterance: what is outside of all of them is silence.
        assert all(final.start - 0.09 <= word.start and word.end <= final.end + 0.09 for word in final.words)
    by_other_chunks, _ = tone_stream(options)
    assert fed(by_other_chunks, waveform, 10**9) == results


MINUTE = [(1.0, 0), (1.4, 1), (7.0, 2), *((15.0 + 0.3 * n, n % 4) for n in range(100)), (58.0, 3)]


def errors_of_minute(results, started_s):
    """Seconds by which each word of `MINUTE` comes late in a stream where it was said at `started_s`."""
    words = [word for final in finals_of(results) for word in final.words]
    assert [word.text for word in words] == said(MINUTE)
    return np.array([word.start for word in words]) - [start for start, _ in MINUTE] - started_s


@pytest.mark.slow
def test_an_hour_keeps_its_times_and_its_memory():
    waveform = speak(MINUTE, 60.0)
    session, recognizer = tone_stream()
    peaks = {}
    for number in range(66):
        traced = number in {1, 2, 3, 63, 64, 65}
        if traced:  # all the time would take minutes
            tracemalloc.start()
        errors = errors_of_minute(session.accept(waveform), 60.0 * number)
        assert -0.045 < errors.min() <= errors.max() < 0.085
        if traced:
            peaks[number] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    early, late = max(list(peaks.values())[:3]), max(list(peaks.values())[3:])
    assert late < 1.2 * early  # an hour of features would be 90 MB
    assert recognizer.longest <= 24.2 / 0.04


def test_a_month_keeps_its_times():
    """Float32 seconds are a quarter of a second apart by then, and samples beyond 32 bits."""
    session, _ = tone_stream()
    n_frames = 30 * 24 * 3600 * 25
    started_s = n_frames * 0.04
    session._position = session._input._n_given = session._endpointer._position = n_frames
    session._endpointer._quiet_since = n_frames
    session._input.n_samples = 640 * n_frames
    session._input.features.start = session._input.features.end = 4 * n_frames
    session._begin(type(session._now)(n_frames, n_frames), search_from=n_frames)
    results = session.accept(speak(MINUTE, 60.0))
    errors = errors_of_minute(results, started_s)
    assert -0.045 < errors.min() <= errors.max() < 0.085
    check_order(results)
    assert results[-1].heard == pytest.approx(results[-1].end + 0.01)


@pytest.mark.slow
def test_a_stream_of_44_100_hz_does_not_drift():
    words = [(2.0 + 30.0 * n, n % 4) for n in range(40)]  # 20 minutes
    session, _ = tone_stream(sample_rate=44_100)
    heard = [
        word
        for final in finals_of(fed(session, speak(words, 1_202.0, 44_100), 44_100))
        for word in final.words
    ]
    assert [word.text for word in heard] == said(words)
    errors = [word.start - start for word, (start, _) in zip(heard, words, strict=True)]
    assert max(errors) - min(errors) <= 0.0801


@pytest.mark.slow
def test_nothing_is_encoded_more_often_than_the_options_say():
    words = [(0.5 + 0.3 * n, n % 4) for n in range(400)]  # two minutes without a pause
    for preset, options in PRESETS.items():
        session, recognizer = tone_stream(preset)
        fed(session, speak(words, 121.0))
        # After each cut 2 s are heard twice by finals, and up to 4 s searched again.
        assert recognizer.n_encoded * 0.04 <= 121.0 * (options.encoded_per_second + 6 / 18)


def test_a_muted_microphone_costs_nothing_and_room_noise_little():
    session, recognizer = tone_stream()
    assert fed(session, np.zeros(60 * RATE, np.float32)) == []
    assert recognizer.n_encoded == 0
    session, recognizer = tone_stream()
    assert fed(session, speak([], 60.0)) == []
    assert recognizer.longest * 0.04 <= 1.0 + 0.48 + 0.72 + 0.48


def test_a_partial_that_comes_to_nothing_is_taken_back():
    """The search hears a word that the pass over the whole does not: an empty final clears it."""
    session, recognizer = tone_stream()
    whole_pass = recognizer.from_features
    recognizer.from_features = lambda features: whole_pass(np.full_like(features, -20.0))
    results = fed(session, speak([(1.0, 0)], 4.0))
    assert [(result.kind, result.text) for result in results] == [("partial", "раз"), ("final", "")]


def test_a_word_that_only_the_final_pass_hears_keeps_the_utterance_open():
    words = [(1.0, 0), (1.75, 1), (2.3, 2)]
    waveform = speak(words, 5.0)
    session, recognizer = tone_stream(StreamOptions(endpoint=EndpointOptions(min_silence_ms=700)))
    encode = recognizer.encode

    def deaf_to_two(features):
        levels = encode(features).copy()
        levels[:, 1] = -20.0
        return levels

    recognizer.encode = deaf_to_two
    whole_pass = recognizer.from_features

    def hears_all(features):
        recognizer.encode = encode
        recognition = whole_pass(features)
        recognizer.encode = deaf_to_two
        return recognition

    recognizer.from_features = hears_all
    (final,) = finals_of(fed(session, waveform))
    assert final.text == "раз два три"
