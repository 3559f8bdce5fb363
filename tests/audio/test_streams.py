"""Streams: bytes cut anywhere become samples, and chunks of any length are resampled as one signal."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigastt_lab.audio.reading import Pcm16Framer, StreamResampler, from_array
from gigastt_lab.errors import AudioError
from tests.support.audio_files import pcm16, speechlike
from tests.support.examples import examples

RATES = [8_000, 16_000, 24_000, 44_100, 48_000]
SIGNALS = {rate: speechlike(0.4, rate) for rate in RATES}


def chunks(whole, cuts):
    """The parts of `whole` between the cuts, which may repeat: empty parts."""
    edges = [0, *sorted(cuts), len(whole)]
    return [whole[start:end] for start, end in itertools.pairwise(edges)]


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=20))
def test_framer_does_not_care_where_bytes_are_cut(data: bytes, cuts: list[int]) -> None:
    framer = Pcm16Framer()

    parts = [framer.accept(part) for part in chunks(data, [min(cut, len(data)) for cut in cuts])]

    whole = np.frombuffer(data[: len(data) // 2 * 2], "<i2") / 32768
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert framer.pending == data[len(data) // 2 * 2 :]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_framer_carries_an_odd_byte(kind: type) -> None:
    framer = Pcm16Framer()

    #        0x4000 = 0.5 | low byte of 0x8000
    first = framer.accept(kind(b"\x00\x40\x00"))
    assert framer.pending == b"\x00"
    second = framer.accept(kind(b"\x80"))

    assert first.dtype == second.dtype == np.float32
    assert (first.tolist(), second.tolist()) == ([0.5], [-1.0])
    assert framer.pending == b""


def test_framer_undoes_pcm16() -> None:
    samples = SIGNALS[16_000]

    np.testing.assert_allclose(Pcm16Framer().accept(pcm16(samples)), samples, atol=2**-16)


@settings(max_examples=examples(40))
@given(rate=st.sampled_from(RATES), cuts=st.lists(st.integers(0, 19_200), max_size=12))
def test_resampling_chunks_equals_resampling_the_whole(rate: int, cuts: list[int]) -> None:
    signal = SIGNALS[rate]
    resampler = StreamResampler(rate)

    parts = [resampler.accept(part) for part in chunks(signal, [min(cut, signal.size) for cut in cuts])]
    joined = np.concatenate([*parts, resampler.finish()])

    np.testing.assert_array_equal(joined, from_array(signal, rate))


@pytest.mark.parametrize("rate", RATES)
def test_single_samples_equal_the_whole(rate: int) -> None:
    signal = SIGNALS[rate][:700]
    resampler = StreamResampler(rate)

    joined = np.concatenate([*map(resampler.accept, np.split(signal, signal.size)), resampler.finish()])

    np.testing.assert_array_equal(joined, from_array(signal, rate))
    assert abs(joined.size - signal.size * 16_000 / rate) <= 1


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100, 48_000])
def test_resampling_keeps_tone_and_time(rate: int) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)
    expected = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)

    resampler = StreamResampler(rate)
    resampled = np.concatenate([resampler.accept(tone), resampler.finish()])

    assert resampled.shape == (16_000,)
    np.testing.assert_allclose(resampled[500:-500], expected[500:-500], atol=1e-3)


def test_equal_rates_pass_through_untouched() -> None:
    resampler = StreamResampler(16_000)
    chunk = SIGNALS[16_000]

    assert resampler.accept(chunk) is chunk
    assert resampler.finish().shape == (0,)


@pytest.mark.parametrize("rate", RATES)
def test_after_finish_a_new_signal_may_start(rate: int) -> None:
    signal = SIGNALS[rate]
    resampler = StreamResampler(rate)

    first = np.concatenate([resampler.accept(signal), resampler.finish()])
    assert resampler.finish().size == 0
    second = np.concatenate([resampler.accept(signal), resampler.finish()])

    np.testing.assert_array_equal(first, second)


def test_resampler_takes_strided_and_integer_chunks() -> None:
    stereo = np.stack([SIGNALS[48_000]] * 2, axis=1)

    strided = StreamResampler(48_000).accept(stereo[:, 0])
    integers = StreamResampler(48_000).accept((stereo[:, 0] * 32767).astype(np.int16))

    np.testing.assert_array_equal(strided, StreamResampler(48_000).accept(SIGNALS[48_000]))
    np.testing.assert_allclose(integers, strided, atol=1e-3)


@pytest.mark.parametrize("rate", [0, -16_000, 999, 384_001, float("nan")])
def test_impossible_rates_are_refused(rate: float) -> None:
    with pytest.raises(AudioError, match="allowed are 1000 to 384000 Hz"):
        StreamResampler(rate)  # type: ignore[arg-type]
    with pytest.raises(AudioError, match="allowed are 1000 to 384000 Hz"):
        StreamResampler(16_000, rate)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_bad_chunks_are_refused(rate: int) -> None:
    resampler = StreamResampler(rate)

    with pytest.raises(AudioError, match="NaN or infinite"):
        resampler.accept(np.array([0.0, np.nan], np.float32))
    with pytest.raises(AudioError, match=r"shape \(1, 4\)"):
        resampler.accept(np.zeros((1, 4), np.float32))
