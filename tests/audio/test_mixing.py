"""Mixing: the mean of channels, and channels in opposite phase."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigastt_lab.audio.mixing import STRETCH, Mixer
from gigastt_lab.audio.reading import decode_audio, from_array, part_by_place
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, by_soundfile, speechlike
from tests.support.examples import examples

LEFT, RIGHT = speechlike(3.0), speechlike(3.0, seed=1)


def mixed(*channels: np.ndarray) -> np.ndarray:
    return from_array(np.stack(channels), RATE)


def test_channels_in_opposite_phase_are_heard() -> None:
    np.testing.assert_allclose(mixed(LEFT, -LEFT), LEFT, atol=1e-6)
    np.testing.assert_allclose(mixed(LEFT, -0.9 * LEFT), 0.95 * LEFT, atol=1e-6)
    np.testing.assert_allclose(mixed(LEFT, -LEFT, LEFT, -LEFT), LEFT, atol=1e-6)


def test_noise_of_its_own_in_each_channel_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    left, right = (sign * LEFT + rng.normal(0, 0.005, LEFT.size) for sign in (1, -1))

    assert np.corrcoef(mixed(left, right), LEFT)[0, 1] > 0.995


@pytest.mark.parametrize("right", [LEFT, RIGHT, 0 * LEFT, 0.2 * RIGHT - 0.5 * LEFT])
def test_others_are_averaged(right: np.ndarray) -> None:
    np.testing.assert_allclose(mixed(LEFT, right), (LEFT + right) / 2, atol=1e-6)


def test_it_is_said_and_from_where_to_where() -> None:
    sign = np.where(np.arange(LEFT.size) < RATE, 1, -1)
    warnings: list[AudioWarning] = []

    decoded = decode_audio(
        by_soundfile(np.stack([LEFT, sign * LEFT], axis=1), RATE, "WAV", "FLOAT"), warnings=warnings
    )

    (warning,) = warnings
    assert warning.kind == "phase"
    assert warning.start == pytest.approx(1.0, abs=STRETCH / RATE)
    assert warning.end == pytest.approx(3.0, abs=0.01)
    behind = slice(RATE + STRETCH, None)
    np.testing.assert_allclose(decoded[behind], LEFT[behind], atol=1e-6)


@given(st.lists(st.integers(1, 20_000), max_size=6), st.integers(2, 4), st.integers(0, 10_000))
@settings(max_examples=examples(20), deadline=None)
def test_the_result_does_not_depend_on_how_it_comes(cuts: list[int], n_channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_samples = int(rng.integers(0, 30_000))
    samples = rng.normal(0, 0.1, (n_channels, n_samples)).astype(np.float32)
    samples[1:] = np.where(np.arange(n_samples) // 5_000 % 2, samples[1:], -samples[:1])
    whole, parted = Mixer(), Mixer()

    expected = np.concatenate([whole.accept(samples), whole.finish()])
    pieces = [
        parted.accept(part) for part in np.split(samples, np.minimum(np.cumsum(cuts), n_samples), axis=1)
    ]

    np.testing.assert_array_equal(np.concatenate([*pieces, parted.finish()]), expected)
    assert whole.turned == parted.turned


@pytest.mark.parametrize(
    ("start", "end"), [(0, 100), (5_000, 9_000), (RATE + 1, RATE + 20_000), (40_000, None)]
)
def test_a_part_by_place_is_mixed_as_the_whole(tmp_path: Path, start: int, end: int | None) -> None:
    sign = np.where(np.arange(LEFT.size) < RATE, 1, -1)
    path = tmp_path / "stereo.wav"
    path.write_bytes(by_soundfile(np.stack([LEFT, sign * LEFT], axis=1), RATE, "WAV"))

    part = part_by_place(path, start, end)

    assert part is not None
    np.testing.assert_array_equal(part[0], decode_audio(path)[start:end])
