"""Every container decodes to the signal that was put into it, at its time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable

import av
import numpy as np
import pytest

from gigastt_lab.audio.reading import decode_audio, from_array
from tests.support.audio_files import (
    RATE,
    alignment,
    by_ffmpeg,
    by_soundfile,
    golos_clip,
    media_recorder,
    pcm16,
    speechlike,
    telegram_voice,
    wav_file,
    without_end_flag,
)

MAX_SHIFT_S = 0.05  # priming and pre-skip may move times by no more
MAX_PADDING_S = 0.07  # a codec may fill its last frame: AAC's has 64 ms at 16 kHz

FRAGMENTED = {"live": True, "movflags": "frag_keyframe+empty_moov"}

# name -> (makes a file of mono samples, smallest correlation with the original)
LOSSY: dict[str, tuple[Callable[[np.ndarray, int], bytes], float]] = {
    "mp3": (lambda x, rate: by_soundfile(x, rate, "MP3"), 0.96),
    "mp3 without a LAME tag": (lambda x, rate: by_ffmpeg(x, rate, "mp3", "libmp3lame", live=True), 0.95),
    "ogg vorbis": (lambda x, rate: by_soundfile(x, rate, "OGG", "VORBIS"), 0.98),
    "ogg opus": (lambda x, rate: by_soundfile(x, rate, "OGG", "OPUS"), 0.97),
    "ogg opus without an end flag": (
        lambda x, rate: without_end_flag(by_soundfile(x, rate, "OGG", "OPUS")),
        0.97,
    ),
    "m4a": (lambda x, rate: by_ffmpeg(x, rate, "ipod", "aac"), 0.99),
    "m4a, index first": (lambda x, rate: by_ffmpeg(x, rate, "ipod", "aac", movflags="faststart"), 0.99),
    "m4a without an edit list": (lambda x, rate: by_ffmpeg(x, rate, "ipod", "aac", use_editlist="0"), 0.99),
    "fragmented mp4": (lambda x, rate: by_ffmpeg(x, rate, "mp4", "aac", **FRAGMENTED), 0.99),
    "adts aac": (lambda x, rate: by_ffmpeg(x, rate, "adts", "aac"), 0.99),
    "webm opus": (lambda x, rate: by_ffmpeg(x, rate, "webm", "libopus"), 0.98),
    "webm opus of a MediaRecorder": (media_recorder, 0.98),
}

PCM_STEPS = {"PCM_U8": 2**-7, "PCM_16": 2**-15, "PCM_24": 2**-23, "PCM_32": 2**-23}
LOSSLESS = (
    [("WAV", subtype, step) for subtype, step in PCM_STEPS.items()]
    + [("WAVEX", "PCM_16", 2**-15), ("RF64", "PCM_16", 2**-15)]
    + [("WAV", "FLOAT", 0), ("WAV", "DOUBLE", 0)]
    + [("FLAC", "PCM_16", 2**-15), ("FLAC", "PCM_24", 2**-23)]
)


@pytest.mark.parametrize(("container", "subtype", "step"), LOSSLESS)
def test_lossless_containers_are_exact_within_their_quantisation(
    container: str, subtype: str, step: float
) -> None:
    samples = speechlike()

    decoded = decode_audio(by_soundfile(samples, RATE, container, subtype))

    assert decoded.dtype == np.float32
    assert decoded.shape == samples.shape
    assert np.abs(decoded - samples).max() <= step


@pytest.mark.parametrize(
    ("subtype", "smallest_correlation"),
    [("ALAW", 0.999), ("ULAW", 0.999), ("IMA_ADPCM", 0.99), ("MS_ADPCM", 0.98), ("GSM610", 0.95)],
)
def test_companded_wav_keeps_the_signal(subtype: str, smallest_correlation: float) -> None:
    samples = speechlike(rate=8000)

    decoded = decode_audio(by_soundfile(samples, 8000, "WAV", subtype), sample_rate=8000)

    delay_s, correlation = alignment(samples, decoded, 8000)
    assert delay_s == 0
    assert correlation > smallest_correlation


@pytest.mark.slow
@pytest.mark.parametrize("rate", [16_000, 48_000])
@pytest.mark.parametrize("name", LOSSY)
def test_lossy_containers_keep_signal_and_time(name: str, rate: int) -> None:
    make, smallest_correlation = LOSSY[name]
    samples = speechlike(rate=rate)

    assert_same_speech(from_array(samples, rate), decode_audio(make(samples, rate)), smallest_correlation)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_containers_keep_real_speech(name: str) -> None:
    make, smallest_correlation = LOSSY[name]
    samples = golos_clip(0)

    assert_same_speech(samples, decode_audio(make(samples, RATE)), smallest_correlation)


def assert_same_speech(original: np.ndarray, decoded: np.ndarray, smallest_correlation: float) -> None:
    delay_s, correlation = alignment(original, decoded)
    assert abs(delay_s) <= MAX_SHIFT_S
    assert correlation >= smallest_correlation
    assert -0.001 <= (decoded.size - original.size) / RATE <= MAX_PADDING_S


def test_telegram_voice_note_without_its_last_page_loses_no_more_than_that_page() -> None:
    samples = speechlike(3.5)

    whole = decode_audio(by_soundfile(samples, RATE, "OGG", "OPUS"))
    note = decode_audio(telegram_voice(samples))

    assert whole.size - 1.1 * RATE <= note.size < whole.size  # libsndfile writes pages of one second
    np.testing.assert_allclose(note[:-200], whole[: note.size - 200], atol=1e-5)


def test_path_and_every_kind_of_bytes_give_the_same(tmp_path) -> None:
    data = by_soundfile(speechlike(0.5), RATE, "FLAC")
    path = tmp_path / "misleading.mp3"  # the bytes decide, not the name
    path.write_bytes(data)

    results = [
        decode_audio(source)
        for source in (data, bytearray(data), memoryview(data), memoryview(data + data)[: len(data)])
    ] + [decode_audio(path), decode_audio(str(path))]

    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_files_of_any_rate_are_resampled(rate: int) -> None:
    # 3 kHz exists at all of these rates, so the answer is known.
    tone = np.sin(2 * np.pi * 3000 * np.arange(rate) / rate).astype(np.float32) / 2
    expected = np.sin(2 * np.pi * 3000 * np.arange(RATE) / RATE) / 2

    decoded = decode_audio(by_soundfile(tone, rate, "WAV", "FLOAT"))

    assert decoded.shape == (RATE,)
    np.testing.assert_allclose(decoded[500:-500], expected[500:-500], atol=1e-3)


def test_another_output_rate_can_be_asked_for() -> None:
    data = by_soundfile(speechlike(1.0), RATE, "WAV")

    assert decode_audio(data, sample_rate=8000).shape == (8000,)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 5, 6, 8, 32])
@pytest.mark.parametrize("data_size", [None, 0])  # 0: never closed, FFmpeg reads it
def test_wav_channels_without_a_mask_are_averaged_or_apart(n_channels: int, data_size: int | None) -> None:
    apart = np.stack([speechlike(0.5, seed=seed) for seed in range(n_channels)])
    data = wav_file(pcm16(apart.T), n_channels=n_channels, data_size=data_size)

    separate = decode_audio(data, channels="separate")
    mean = decode_audio(data)

    np.testing.assert_allclose(separate, apart, atol=2**-15)
    np.testing.assert_allclose(mean, apart.mean(axis=0), atol=2**-15)


@pytest.mark.parametrize(
    ("container", "codec", "layout", "n_channels"),
    [
        ("flac", "flac", "3.0", 3),
        ("flac", "flac", "7.1", 8),
        ("mp4", "aac", "5.0", 5),
        ("webm", "libopus", "stereo", 2),
        ("mp3", "libmp3lame", "stereo", 2),
        ("ogg", "libopus", "7.1", 8),
    ],
)
def test_channels_of_compressed_files_are_kept_apart(
    container: str, codec: str, layout: str, n_channels: int
) -> None:
    rate = 48_000
    # One channel speaks: it must be heard in one row of the result only.
    rows = np.zeros((n_channels, rate), np.float32)
    rows[-1] = speechlike(1.0, rate)

    data = by_ffmpeg(rows, rate, container, codec, layout=layout)
    energies = np.square(decode_audio(data, channels="separate")).sum(axis=1)

    assert energies.shape == (n_channels,)
    assert energies.max() > 0.9 * energies.sum()


def test_a_film_gives_its_sound() -> None:
    assert_same_speech(speechlike(1.0), decode_audio(film(speechlike(1.0))), 0.99)


def film(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as sink:
        pictures = sink.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        sound = sink.add_stream("aac", rate=RATE, layout="mono")
        for number in range(10):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            picture.pts = number
            sink.mux(pictures.encode(picture))
        frame = av.AudioFrame.from_ndarray(samples[None], "fltp", "mono")
        frame.sample_rate, frame.pts = RATE, 0
        sink.mux(sound.encode(frame))
        sink.mux(pictures.encode(None))
        sink.mux(sound.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("container", ["FLAC", "MP3"])
def test_an_id3_tag_before_the_audio_is_skipped(container: str) -> None:
    data = by_soundfile(speechlike(0.5), RATE, container)
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)  # 1 << 7 bytes

    np.testing.assert_array_equal(decode_audio(tag + data), decode_audio(data))


@pytest.mark.parametrize(
    ("dtype", "scale", "zero"),
    [
        ("f4", 1, 0), ("f8", 1, 0), (">f4", 1, 0), ("i2", 2**15, 0), (">i2", 2**15, 0), ("i4", 2**31, 0),
        ("u1", 2**7, 128),
    ],
)  # fmt: skip
def test_arrays_of_every_dtype_are_scaled_to_one(dtype: str, scale: int, zero: int) -> None:
    samples = np.array([0.0, 0.5, -0.5, -1.0])

    result = from_array((samples * scale + zero).astype(dtype), RATE)

    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, samples)


def test_array_rows_are_channels() -> None:
    stereo = np.array([[0.5, 0.5, 0.0], [-0.5, 0.0, 0.0]])

    np.testing.assert_array_equal(from_array(stereo, RATE), [0.0, 0.25, 0.0])
    np.testing.assert_array_equal(from_array(stereo, RATE, channels="separate"), stereo)


def test_array_and_file_give_the_same() -> None:
    samples = speechlike(1.0, 44_100)

    np.testing.assert_array_equal(
        from_array(samples, 44_100), decode_audio(by_soundfile(samples, 44_100, "WAV", "FLOAT"))
    )


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_an_array_without_samples_gives_an_empty_array(rate: int) -> None:
    assert from_array(np.zeros(0, np.float32), rate).shape == (0,)
    assert from_array(np.zeros((2, 0), np.int16), rate).shape == (0,)
    assert from_array(np.zeros((2, 0)), rate, channels="separate").shape == (2, 0)


def test_an_array_that_needs_no_work_is_not_copied() -> None:
    samples = speechlike(0.1)

    assert np.shares_memory(from_array(samples, RATE), samples)


def test_importing_the_module_loads_no_codecs() -> None:
    code = (
        "import sys, gigastt_lab.audio.reading; "
        "assert not {'av', 'soundfile', 'soxr'} & set(sys.modules), 'they cost up to a second'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ, timeout=60)
