"""Cut files: refused where the container states its length, decoded as far as they go where not."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from tests.support.audio_files import (
    RATE,
    by_ffmpeg,
    by_soundfile,
    media_recorder,
    ogg_pages,
    pcm16,
    speechlike,
    wav_file,
)

SAMPLES = speechlike(3.0)
LONG = speechlike(6.0)
PCM = pcm16(SAMPLES)

FRAGMENTED = {"live": True, "movflags": "frag_keyframe+empty_moov", "frag_duration": "200000"}

STREAMS = {
    "ogg opus": lambda: by_soundfile(LONG, RATE, "OGG", "OPUS"),
    "ogg vorbis": lambda: by_soundfile(LONG, RATE, "OGG", "VORBIS"),
    "webm of a MediaRecorder": lambda: media_recorder(LONG),
    "mp3": lambda: by_soundfile(LONG, RATE, "MP3"),
    "adts": lambda: by_ffmpeg(LONG, RATE, "adts", "aac"),
    "fragmented mp4": lambda: by_ffmpeg(LONG, RATE, "mp4", "aac", **FRAGMENTED),
}


# 0: never filled in; 0xFFFFFFFF: FFmpeg to a pipe; 0x7FFFF000: SoX; 0x80000000: arecord.
@pytest.mark.parametrize("data_size", [0, 0xFFFFFFFF, 0x7FFFF000, 0x80000000])
def test_a_wav_that_was_recorded_live_is_decoded_to_its_end(data_size: int) -> None:
    decoded = decode_audio(wav_file(PCM, data_size=data_size))

    np.testing.assert_allclose(decoded, SAMPLES, atol=2**-15)


@pytest.mark.parametrize(("tag", "bits", "dtype"), [(1, 24, "u1"), (3, 32, "<f4"), (3, 64, "<f8")])
def test_a_live_wav_of_other_samples_is_decoded_too(tag: int, bits: int, dtype: str) -> None:
    if bits == 24:
        integers = np.round(SAMPLES * 2**23).astype("<i4")
        data = integers.view("u1").reshape(-1, 4)[:, :3].tobytes()
    else:
        data = SAMPLES.astype(dtype).tobytes()

    decoded = decode_audio(wav_file(data, data_size=0, tag=tag, bits=bits))

    np.testing.assert_allclose(decoded, SAMPLES, atol=2**-23)


@pytest.mark.parametrize("kept", [0.001, 0.5, 0.99])
@pytest.mark.parametrize("subtype", ["PCM_16", "ALAW", "FLOAT"])
def test_a_cut_wav_is_refused(subtype: str, kept: float) -> None:
    data = by_soundfile(SAMPLES, RATE, "WAV", subtype)
    header = data.index(b"data") + 8

    with pytest.raises(AudioError, match=r"promises .* bytes of audio while .* are there"):
        decode_audio(data[: header + int((len(data) - header) * kept)])


@pytest.mark.parametrize("data_size", [len(PCM) + 1_000, 3_000_000_000, 0xFFFFFFF0])
def test_a_wav_header_that_claims_too_much_is_refused(data_size: int) -> None:
    with pytest.raises(AudioError, match=f"promises {data_size} bytes of audio while {len(PCM)} are there"):
        decode_audio(wav_file(PCM, data_size=data_size))


def test_a_wav_may_count_its_header_as_data_or_lose_half_a_sample() -> None:
    assert decode_audio(wav_file(PCM, data_size=len(PCM) + 44)).shape == SAMPLES.shape
    assert decode_audio(wav_file(PCM)[:-1]).size == SAMPLES.size - 1


def test_a_wav_with_chunks_before_and_after_its_data() -> None:
    plain = wav_file(PCM)
    odd_chunk = b"note\x03\x00\x00\x00abc\x00"  # padded to an even length
    data = plain[:12] + odd_chunk + plain[12:] + b"LIST\x04\x00\x00\x00abcd"

    np.testing.assert_array_equal(decode_audio(data), decode_audio(plain))


@pytest.mark.parametrize("end", [4, 12, 20, 30, 36, 40, 44])
@pytest.mark.parametrize("data_size", [0, None])
def test_a_wav_of_a_header_only_is_refused(end: int, data_size: int | None) -> None:
    with pytest.raises(AudioError):
        decode_audio(wav_file(PCM, data_size=data_size)[:end])


def test_a_wav_of_endless_chunks_is_refused() -> None:
    data = wav_file(PCM)

    with pytest.raises(AudioError, match="more than 100000 chunks"):
        decode_audio(data[:12] + b"note\x00\x00\x00\x00" * 100_000 + data[12:])


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_cut_flac_is_refused(kept: float) -> None:
    data = by_soundfile(SAMPLES, RATE, "FLAC")

    with pytest.raises(AudioError, match=f"promises {SAMPLES.size} samples while"):
        decode_audio(data[: int(len(data) * kept)])


def test_a_flac_that_was_recorded_live_is_decoded() -> None:
    data = bytearray(by_soundfile(SAMPLES, RATE, "FLAC"))
    data[21] &= 0xF0  # STREAMINFO: 36 bits of the number of samples; 0 is "unknown"
    data[22:26] = bytes(4)

    np.testing.assert_allclose(decode_audio(data), SAMPLES, atol=2**-15)


def test_a_damaged_flac_is_refused_rather_than_heard_as_noise() -> None:
    data = bytearray(by_soundfile(SAMPLES, RATE, "FLAC"))
    data[len(data) // 2] ^= 0x55

    with pytest.raises(AudioError, match="cut or damaged"):
        decode_audio(data)


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}])
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.99])
def test_a_cut_m4a_is_refused(options: dict[str, str], kept: float) -> None:
    data = by_ffmpeg(SAMPLES, RATE, "ipod", "aac", **options)

    with pytest.raises(AudioError, match="MP4 that lacks its last"):
        decode_audio(data[: int(len(data) * kept)])


def test_an_m4a_without_its_index_is_refused() -> None:
    data = by_ffmpeg(SAMPLES, RATE, "ipod", "aac")

    with pytest.raises(AudioError, match="without its index"):
        decode_audio(data[: data.index(b"moov") - 4])


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0.55, 0.73, 0.999])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_was_cut_is_decoded_as_far_as_it_goes(name: str, kept: float) -> None:
    data = STREAMS[name]()
    whole = decode_audio(data)

    cut = decode_audio(data[: int(len(data) * kept)])

    # Bytes are not spread evenly over the time, and an Ogg page, of which nothing is heard unless it is
    # whole, holds up to two seconds.
    missing_s = 6 * kept - cut.size / RATE
    assert -1.0 <= missing_s <= (2.2 if name.startswith("ogg") else 1.0)
    n_sure = cut.size - 2500  # codecs differ near an end
    np.testing.assert_allclose(cut[:n_sure], whole[:n_sure], atol=1e-4)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_of_headers_only_is_refused(name: str) -> None:
    data = STREAMS[name]()
    headers = b"".join(ogg_pages(data)[:2]) if name.startswith("ogg") else data[:60]

    with pytest.raises(AudioError):
        decode_audio(headers)


def test_a_lost_ogg_page_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    pages = ogg_pages(by_soundfile(LONG, RATE, "OGG", "OPUS"))

    with caplog.at_level(logging.WARNING, "gigastt_lab"):
        decoded = decode_audio(b"".join(pages[:3] + pages[4:]))

    assert decoded.size < LONG.size - RATE / 2
    assert "up to 1." in caplog.text


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"not audio at all", b"\x89PNG\r\n\x1a\n" + bytes(100), "Привет".encode("utf-16"),
     b"#EXTM3U\nfile:///etc/hostname\n", b"ffconcat version 1.0\nfile /etc/hostname\n",
     b"ID3\x04\x00\x00\x00\x00\x00\x00", b"OggS" + bytes(300), b"fLaC" + bytes(300),
     b"\x1a\x45\xdf\xa3" + bytes(300), b"\xff\xfb\x90\x00" + bytes(2000), bytes(range(256)) * 40],
)  # fmt: skip
def test_what_is_not_audio_is_refused(data: bytes) -> None:
    with pytest.raises(AudioError, match=f"^{len(data)} bytes: "):
        decode_audio(data)
