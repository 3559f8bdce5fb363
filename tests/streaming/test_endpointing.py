"""When utterances end, on signals made for it."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.audio.vad import HOP, EnergyDetector, EnergyOptions
from gigastt_lab.streaming.endpointing import Endpointer
from gigastt_lab.streaming.options import EndpointOptions, StreamOptions
from tests.support.tones import said, speak, tone_stream

RATE = 16_000


def noise(seconds, level_db, seed=0):
    rng = np.random.default_rng(seed)
    return (10 ** (level_db / 20) * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def loud_hops(waveform, options=None):
    return EnergyDetector(options).accept(waveform)


def finals(waveform, **options):
    session, _ = tone_stream(StreamOptions(endpoint=EndpointOptions(**options)))
    results = [*session.accept(waveform), *session.finish()]
    return [result for result in results if result.kind == "final"]


# -- the detector -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level_db", [-90, -60, -45, -30])
def test_steady_noise_is_quiet_at_any_level(level_db):
    assert not loud_hops(noise(10, level_db)).any()


@pytest.mark.parametrize("room_db", [-90, -60, -45])
def test_what_rises_above_the_room_may_be_speech(room_db):
    waveform = noise(6, room_db)
    waveform[2 * RATE : 3 * RATE] += noise(1, -25, seed=1)
    hops = loud_hops(waveform)
    assert not hops[:200].any()
    assert hops[202:298].all()
    assert not hops[306:].any()  # 50 ms of smoothing


def test_digital_silence_is_quiet_and_faint_noise_after_it_too():
    assert not loud_hops(np.zeros(RATE, np.float32)).any()
    assert not loud_hops(np.concatenate([np.zeros(RATE, np.float32), noise(1, -72)])).any()


def test_the_floor_follows_a_room_that_gets_louder():
    hops = loud_hops(np.concatenate([noise(5, -70), noise(10, -40)]))
    assert hops[510:600].all()  # at first it could be speech
    assert not hops[900:].any()


def test_the_margin_and_the_floors_window_are_options():
    waveform = np.concatenate([noise(5, -50), noise(5, -44)])
    assert not loud_hops(waveform).any()
    assert loud_hops(waveform, EnergyOptions(margin_db=3.0))[510:700].all()
    short = loud_hops(waveform, EnergyOptions(margin_db=3.0, floor_window_ms=1_000))
    assert not short[650:].any()


@pytest.mark.parametrize("chunk", [1, 16, 159, 160, 161, 5_000])
def test_chunks_do_not_change_what_the_detector_says(chunk):
    waveform = np.concatenate([noise(1, -60), noise(1, -20), noise(1, -60)])
    detector = EnergyDetector()
    parts = [detector.accept(waveform[at : at + chunk]) for at in range(0, len(waveform), chunk)]
    np.testing.assert_array_equal(np.concatenate(parts), loud_hops(waveform))
    assert len(loud_hops(waveform)) == len(waveform) // HOP


# -- the decision -------------------------------------------------------------------------------------------


def decisions(loud, words, **options):
    """(frame, reason) of every decision over frames that are loud where `loud` says so; words by frame."""
    endpointer = Endpointer(EndpointOptions(**options), by_words=True)
    found = []
    for frame, is_loud in enumerate(loud):
        endpointer.hear(is_loud)
        if frame in words:
            endpointer.word_at(frame)
        reason = endpointer.reason()
        if reason:
            found.append((frame + 1, reason))
            endpointer.begin(frame + 1)
    return found


# Frames of 40 ms. 600 ms are 15 frames, 1,600 ms are 40.
#   0        10        20        30        40        50        60        70
#   .....W####......................                                            quiet from 10: ends at 25
def test_silence_after_a_word_ends_the_utterance():
    assert decisions([5 <= frame < 10 for frame in range(100)], {5}) == [(25, "silence")]


def test_both_witnesses_have_to_agree():
    loud_to_20 = [frame < 20 for frame in range(100)]
    assert decisions(loud_to_20, {5}) == [(35, "silence")]  # the search is done by 21
    assert decisions([False] * 100, {5, 15}) == [(31, "silence")]  # it is quiet from the start


def test_noise_does_not_keep_an_utterance_open():
    assert decisions([True] * 100, {5}) == [(46, "silence")]
    assert decisions([True] * 100, {5}, min_blank_ms=800) == [(26, "silence")]


def test_a_knock_in_the_silence_begins_it_anew():
    assert decisions([frame in (5, 18) for frame in range(100)], {5}) == [(34, "silence")]


def test_without_a_word_there_is_no_end_but_the_limit():
    assert decisions([True] * 1000, set()) == [(550, "limit")]
    limits = [(125, "limit"), (250, "limit")]
    assert decisions([True] * 300, set(range(300)), max_utterance_ms=5_000) == limits


def test_a_word_too_near_contradicts_the_end():
    endpointer = Endpointer(EndpointOptions(), by_words=True)
    for _ in range(100):
        endpointer.hear(False)
    assert endpointer.contradicted_by(95)
    assert not endpointer.contradicted_by(80)


@pytest.mark.parametrize(
    "options",
    [
        {"min_silence_ms": 0},
        {"min_silence_ms": 20_000},
        {"min_blank_ms": 500},
        {"max_utterance_ms": 26_000},
        {"max_utterance_ms": 100},
        {"max_leading_silence_ms": -1},
    ],
)
def test_options_outside_their_range_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} is .*; give"):
        EndpointOptions(**options)


@pytest.mark.parametrize("options", [{"chunk_ms": 0}, {"chunk_ms": 100}, {"left_ms": 30}, {"right_ms": -40}])
def test_contexts_are_whole_frames(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} is .*; give"):
        StreamOptions(**options)


# -- in a stream --------------------------------------------------------------------------------------------

TWO = [(1.0, 0), (1.4, 1), (2.6, 2)]  # the second pause is 1.08 s


@pytest.mark.parametrize(("silence_ms", "texts"), [(600, ["раз два", "три"]), (1_400, ["раз два три"])])
def test_the_length_of_a_pause_is_an_option(silence_ms, texts):
    found = finals(speak(TWO, 6.0), min_silence_ms=silence_ms, min_blank_ms=2_000)
    assert [final.text for final in found] == texts
    assert {final.reason for final in found} == {"silence"}
    last_end = 2.6 + 0.12
    assert found[-1].end == pytest.approx(last_end + silence_ms / 1000, abs=0.13)


def test_loud_noise_after_speech_ends_by_the_blanks_of_the_search():
    waveform = speak([(1.0, 0)], 8.0)
    hiss = np.diff(noise(6, -26), prepend=np.float32(0))[: 6 * RATE]
    spectrum = np.fft.rfft(hiss)
    spectrum[: 5_500 * 6] = 0  # no tone of the language in it
    waveform[round(1.3 * RATE) : round(7.3 * RATE)] += np.fft.irfft(spectrum).astype(np.float32)
    (final,) = finals(waveform, min_blank_ms=2_000)
    assert (final.text, final.reason) == ("раз", "silence")
    assert final.end == pytest.approx(1.0 + 2.0, abs=0.25)


def test_silence_before_speech_is_no_part_of_the_utterance():
    (final,) = finals(speak([(20.0, 3)], 23.0), max_leading_silence_ms=1_000)
    assert final.text == "пять"
    assert 17.7 <= final.start <= 19.1  # a chunk and its right context may stand between
    (all_of_it,) = finals(speak([(3.0, 3)], 6.0), max_leading_silence_ms=4_000)
    assert all_of_it.start == 0.0


def test_an_utterance_without_a_pause_is_cut_between_words():
    words = [(0.5 + 0.3 * n, n % 4) for n in range(190)]  # 57 s
    found = finals(speak(words, 59.0), max_utterance_ms=20_000)
    assert " ".join(final.text for final in found).split() == said(words)
    assert [final.reason for final in found] == ["limit"] * (len(found) - 1) + ["silence"]
    assert all(15.0 <= final.end - final.start <= 20.0 for final in found[:-1])
