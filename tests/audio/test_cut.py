"""Cut files: read as far as they go, and said to be cut; refused where that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
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


FILES = {
    "wav": lambda: by_soundfile(LONG, RATE, "WAV"),
    "wav float": lambda: by_soundfile(LONG, RATE, "WAV", "FLOAT"),
    "wav a-law": lambda: by_soundfile(LONG, RATE, "WAV", "ALAW"),
    "wav gsm": lambda: by_soundfile(LONG[::2], RATE // 2, "WAV", "GSM610"),
    "rf64": lambda: by_soundfile(LONG, RATE, "RF64"),
    "flac": lambda: by_soundfile(LONG, RATE, "FLAC"),
    "mp3 with a LAME tag": lambda: by_soundfile(LONG, RATE, "MP3"),
    "m4a, index first": lambda: by_ffmpeg(LONG, RATE, "ipod", "aac", movflags="faststart"),
    "fragmented mp4": STREAMS["fragmented mp4"],
    "webm": lambda: by_ffmpeg(LONG, RATE, "webm", "libopus"),
    "webm of a MediaRecorder": STREAMS["webm of a MediaRecorder"],
    "mkv": lambda: by_ffmpeg(LONG, RATE, "matroska", "aac"),
    "ogg opus": STREAMS["ogg opus"],
    "adts": STREAMS["adts"],
}
PROMISES = {"wav", "wav float", "wav a-law", "wav gsm", "rf64", "flac", "mp3 with a LAME tag",
            "m4a, index first", "webm", "mkv"}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_read_as_far_as_it_goes_and_says_so(name: str) -> None:
    data, warnings = FILES[name](), []
    whole = decode_audio(data)

    cut = decode_audio(data[: int(len(data) * 0.553)], warnings=warnings)

    n_sure = cut.size - 2500  # codecs differ near an end
    np.testing.assert_allclose(cut[:n_sure], whole[:n_sure], atol=1e-4)
    assert 1.9 < cut.size / RATE < 4.3
    (warning,) = warnings
    assert warning.kind == "cut"
    assert "was cut" in warning.message
    assert warning.start == pytest.approx(cut.size / RATE, abs=0.05)
    assert (warning.end is not None) == (name in PROMISES)
    if warning.end is not None:
        assert warning.end == pytest.approx(6.0, abs=0.15)


@pytest.mark.parametrize("name", FILES)
def test_strict_refuses_a_cut_file_and_takes_a_whole_one(name: str) -> None:
    data, warnings = FILES[name](), []

    with pytest.raises(AudioError, match=r"the file was cut.* leave out `strict`"):
        decode_audio(data[: int(len(data) * 0.553)], strict=True)
    assert decode_audio(data, strict=True, warnings=warnings).size / RATE == pytest.approx(6.0, abs=0.15)
    assert warnings == []


@pytest.mark.parametrize("name", ["wav", "flac", "mp3 with a LAME tag", "webm of a MediaRecorder"])
def test_the_engine_reads_on_and_warns(name: str, caplog: pytest.LogCaptureFixture) -> None:
    data = FILES[name]()

    with caplog.at_level("WARNING", "gigastt_lab"):
        decode_audio(data[: len(data) // 2])

    assert "was cut" in caplog.text


@pytest.mark.parametrize("kept", [0.001, 0.5, 0.99])
def test_a_wav_is_read_to_its_last_whole_sample(kept: float) -> None:
    data = wav_file(PCM)
    end = 44 + int(len(PCM) * kept)

    np.testing.assert_array_equal(decode_audio(data[:end]), decode_audio(data)[: (end - 44) // 2])


def test_a_flac_that_was_recorded_live_is_decoded() -> None:
    data = bytearray(by_soundfile(SAMPLES, RATE, "FLAC"))
    data[21] &= 0xF0  # STREAMINFO: 36 bits of the number of samples; 0 is "unknown"
    data[22:26] = bytes(4)

    np.testing.assert_allclose(decode_audio(data), SAMPLES, atol=2**-15)


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.99])
def test_an_m4a_whose_index_is_cut_off_is_refused(kept: float) -> None:
    data = by_ffmpeg(SAMPLES, RATE, "ipod", "aac")

    with pytest.raises(AudioError, match=r"MP4 (without its index|whose index \(moov\) is cut)"):
        decode_audio(data[: int(len(data) * kept)])


def test_a_fragment_without_the_beginning_of_its_stream_is_refused() -> None:
    data = STREAMS["fragmented mp4"]()
    start = data.index(b"moof") - 4

    with pytest.raises(AudioError, match="without the beginning of its stream"):
        decode_audio(data[start:])


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


def test_a_transport_stream_that_ends_within_a_packet_was_cut() -> None:
    data, warnings = by_ffmpeg(speechlike(3.0), RATE, "mpegts", "aac"), []
    whole: list[AudioWarning] = []
    decode_audio(data, warnings=whole)

    samples = decode_audio(data[: 188 * (len(data) // 376) + 77], warnings=warnings)

    assert whole == []
    assert [each.kind for each in warnings] == ["cut"]
    assert warnings[0].start == pytest.approx(len(samples) / RATE, abs=0.01)
