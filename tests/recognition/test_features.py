import hashlib
import math
import os
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gigastt_lab.errors import AudioError
from gigastt_lab.recognition.features import (
    BLOCK_FRAMES,
    LogMelStream,
    filterbank,
    log_mel,
    log_mel_batch,
    round_to_bfloat16,
    window,
)

EDGE_LENGTHS = [0, 1, 319, 320, 321, 479, 480, 481]  # about one window and one window plus a hop
LOG_FLOOR = math.log(1e-9)
TOLERANCE = 1e-5  # a few float32 steps at the size of the log floor, -20.7

golos = pytest.mark.skipif(
    "GIGASTT_TEST_GOLOS" not in os.environ, reason="GIGASTT_TEST_GOLOS names no folder with Golos clips"
)


def bfloat16(value):
    """Eight significant bits, ties to even, by arithmetic instead of bit patterns."""
    mantissa, exponent = math.frexp(np.float32(value))
    return math.ldexp(round(mantissa * 256) / 256, exponent)


def reference_log_mel(waveform):
    """The definition, step by step in float64: windowed frames, DFT as a sum, triangles, log."""
    hann = [bfloat16(0.5 - 0.5 * math.cos(2 * math.pi * n / 320)) for n in range(320)]
    frames = [waveform[i : i + 320] * np.array(hann) for i in range(0, len(waveform) - 319, 160)]
    if not frames:
        return np.empty((64, 0))
    angles = 2 * np.pi * np.outer(np.arange(320), np.arange(161)) / 320
    power = (frames @ np.cos(angles)) ** 2 + (frames @ np.sin(angles)) ** 2
    mel_of_8000_hz = 2595 * math.log10(1 + 8000 / 700)
    corners = [700 * (10 ** (mel_of_8000_hz * i / 65 / 2595) - 1) for i in range(66)]
    weights = np.zeros((161, 64))
    for mel, (left, peak, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        for k in range(161):
            hz = 50 * k
            if left < hz < right:
                side = (hz - left) / (peak - left) if hz < peak else (right - hz) / (right - peak)
                weights[k, mel] = bfloat16(side)
    return np.log(np.clip(power @ weights, 1e-9, 1e9)).T


def noise(n_samples, level=0.1, seed=0):
    return (level * np.random.default_rng(seed).standard_normal(n_samples)).astype(np.float32)


def voice(n_samples):
    """Harmonics of a wavering 120 Hz tone that comes and goes like syllables."""
    seconds = np.arange(n_samples) / 16_000
    phase = 2 * np.pi * 120 * seconds + 3 * np.sin(2 * np.pi * 2 * seconds)
    tone = sum(np.sin(k * phase) / k**1.5 for k in range(1, 30))
    return (0.2 * np.sin(2 * np.pi * 1.5 * seconds) ** 2 * tone).astype(np.float32)


SIGNALS = {
    "noise": noise(48_000),
    "voice": voice(48_000),
    "full-scale tone": np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32),
    "clicks in silence": (np.arange(16_000) % 4000 == 0).astype(np.float32),
    "noise at the log floor": noise(16_000, level=1e-6),
    "noise below the log floor": noise(16_000, level=1e-9),
    "noise above the ceiling": noise(16_000, level=1e5),
    "silence": np.zeros(16_000, np.float32),
}


@pytest.mark.parametrize("waveform", SIGNALS.values(), ids=SIGNALS)
def test_features_equal_the_definition(waveform):
    np.testing.assert_allclose(log_mel(waveform), reference_log_mel(waveform), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("n_samples", EDGE_LENGTHS)
def test_features_equal_the_definition_at_edge_lengths(n_samples):
    features = log_mel(noise(n_samples))
    assert features.shape == (64, {480: 2, 481: 2}.get(n_samples, int(n_samples >= 320)))
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    np.testing.assert_allclose(features, reference_log_mel(noise(n_samples)), rtol=0, atol=TOLERANCE)


def test_silence_is_the_log_floor():
    assert np.all(log_mel(SIGNALS["silence"]) == np.float32(LOG_FLOOR))


@golos
def test_features_of_real_speech_equal_the_definition():
    clips = sorted(Path(os.environ["GIGASTT_TEST_GOLOS"]).glob("*.wav"))
    assert clips
    for clip in clips:
        with wave.open(str(clip)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        waveform = samples.astype(np.float32) / 32768
        np.testing.assert_allclose(log_mel(waveform), reference_log_mel(waveform), rtol=0, atol=TOLERANCE)


def test_window_and_filterbank_are_those_of_the_checkpoint():
    # The digests were taken of `gigaam_v3_window` and `gigaam_v3` in onnx-asr 0.12
    # `preprocessors/data/fbanks.npz`, which hold what GigaAM's own code computes.
    def digest(array):
        return hashlib.sha256(array.astype("<f4").tobytes()).hexdigest()

    assert digest(window()) == "834a6744851a775dbb1831e9e17f0f702599b4d52c1d97d7638b3f170824419f"
    assert digest(filterbank()) == "70eeba34d4699284ce0dac35129dfaf26843c20717b398e668974716df9e0ffc"


finite_float32 = st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False)


@example([1.00390625, 1.01171875])  # ties, downwards and upwards
@given(st.lists(finite_float32.filter(lambda x: abs(x) < 1e38)))
def test_rounding_to_bfloat16_equals_arithmetic(values):
    rounded = round_to_bfloat16(np.array(values, np.float32))
    assert rounded.tolist() == [bfloat16(value) for value in values]


def test_rounding_to_bfloat16_equals_torch():
    torch = pytest.importorskip("torch")
    every_65537th = np.arange(0, 2**32, 65537, dtype=np.uint32)
    ties = np.arange(0x8000, 2**32, 0x10000, dtype=np.uint32)
    values = np.concatenate([every_65537th, ties]).view(np.float32)
    values = values[np.isfinite(values)]
    expected = torch.from_numpy(values).to(torch.bfloat16).to(torch.float32).numpy()
    np.testing.assert_array_equal(round_to_bfloat16(values), expected)


def in_chunks(waveform, sizes):
    """The stream's features when `sizes` samples arrive one after the other, and then the rest."""
    stream = LogMelStream()
    pieces, start = [], 0
    for size in [*sizes, len(waveform)]:
        pieces.append(stream.accept(waveform[start : start + size]))
        start += size
    return np.concatenate(pieces, axis=1)


def test_a_frame_does_not_depend_on_its_neighbours():
    waveform = noise(160 * (2 * BLOCK_FRAMES + 5))
    whole = log_mel(waveform)
    for i in range(whole.shape[1]):
        alone = log_mel(waveform[160 * i : 160 * i + 320])
        np.testing.assert_array_equal(alone[:, 0], whole[:, i])


@given(
    n_samples=st.integers(0, 30_000),
    sizes=st.lists(st.integers(0, 700) | st.integers(0, 25_000), max_size=30),
    seed=st.integers(0, 99),
)
def test_chunked_equals_whole(n_samples, sizes, seed):
    waveform = noise(n_samples, seed=seed)
    np.testing.assert_array_equal(in_chunks(waveform, sizes), log_mel(waveform))


@pytest.mark.parametrize("size", [1, 2, 159, 160, 161, 319, 320, 321])
def test_chunks_of_one_size_equal_whole(size):
    waveform = voice(3000)
    np.testing.assert_array_equal(in_chunks(waveform, [size] * (3000 // size)), log_mel(waveform))


def test_stream_keeps_only_the_samples_that_it_needs():
    stream = LogMelStream()
    stream.accept(noise(100_000))
    for array in vars(stream).values():
        if isinstance(array, np.ndarray):
            assert array.base is None
            assert array.size < 320


def test_stream_does_not_notice_a_reused_buffer():
    waveform = noise(640)
    stream, buffer = LogMelStream(), np.empty(320, np.float32)
    pieces = []
    for half in (waveform[:320], waveform[320:]):
        buffer[:] = half
        pieces.append(stream.accept(buffer))
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), log_mel(waveform))


@given(st.lists(st.sampled_from(EDGE_LENGTHS) | st.integers(0, 25_000), max_size=6))
def test_batch_equals_single(n_samples):
    waveforms = [noise(n, seed=i) for i, n in enumerate(n_samples)]
    features, lengths = log_mel_batch(waveforms)
    singles = [log_mel(waveform) for waveform in waveforms]
    assert features.dtype == np.float32
    assert lengths.dtype == np.int64
    assert lengths.tolist() == [single.shape[1] for single in singles]
    assert features.shape == (len(singles), 64, max(lengths, default=0))
    for row, single, length in zip(features, singles, lengths, strict=True):
        np.testing.assert_array_equal(row[:, :length], single)
        assert not row[:, length:].any()


def test_waveforms_need_not_be_contiguous():
    stereo = noise(8000).reshape(-1, 2)
    np.testing.assert_array_equal(log_mel(stereo[:, 1]), log_mel(stereo[:, 1].copy()))


def test_input_is_left_alone():
    waveform = noise(4000)
    waveform.flags.writeable = False
    log_mel(waveform)
    log_mel_batch([waveform, waveform])
    LogMelStream().accept(waveform)


@pytest.mark.parametrize(
    "waveform",
    [np.zeros(400, np.int16), np.zeros(400), np.zeros((1, 400), np.float32)],
    ids=["int16", "float64", "2-d"],
)
def test_other_arrays_are_refused(waveform):
    for compute in (log_mel, LogMelStream().accept, lambda array: log_mel_batch([array])):
        with pytest.raises(AudioError, match=r"pass mono samples in \[-1, 1\] as float32"):
            compute(waveform)
