"""Containers and codecs beside the usual ones: read whole, in time, and told apart by their bytes alone."""

from __future__ import annotations

import io

import numpy as np
import pytest

from gigastt_lab.audio.containers import sniff
from gigastt_lab.audio.reading import decode_audio, stated_duration_s
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, alignment, by_ffmpeg, by_soundfile, speechlike
from tests.support.format_files import FORMATS, SECONDS, SECONDS_KEPT, VARIED, encoded

# Codecs of frames pad the last one; WMA keeps its first, of 46 ms, to itself.
_PADDING_S = 0.065
_DELAY_S = 0.05
# AMR and Speex make other waveforms of the same sound.
_CORRELATION = {"amr libopencore_amrnb": 0.8, "3gp libopencore_amrnb": 0.8, "caf libopencore_amrnb": 0.8}
_CONTAINERS = {
    "aiff": "aiff", "au": "au", "caf": "caf", "w64": "w64", "wav": "wav", "amr": "amr", "3gp": "mp4",
    "ipod": "mp4", "mov": "mp4", "matroska": "webm", "asf": "asf", "avi": "avi", "mpegts": "ts", "ac3": "ac3",
    "eac3": "ac3", "mp2": "mp3", "wv": "wavpack", "tta": "tta", "ogg": "ogg",
}  # fmt: skip

_NAMES = [pytest.param(name, marks=[] if name in VARIED else pytest.mark.slow) for name in FORMATS]


@pytest.mark.parametrize("name", _NAMES)
def test_it_is_read_whole_and_in_time(name: str) -> None:
    data = FORMATS[name]()
    seconds = SECONDS_KEPT if name in {"amr wide band", "ogg speex"} else SECONDS
    warnings: list[AudioWarning] = []

    samples = decode_audio(data, warnings=warnings)

    delay_s, correlation = alignment(speechlike(seconds), samples)
    assert seconds - 0.01 <= samples.size / RATE <= seconds + _PADDING_S
    assert abs(delay_s) < _DELAY_S
    assert correlation > _CORRELATION.get(name, 0.75 if name == "ogg speex" else 0.93)
    assert warnings == []
    assert sniff(io.BytesIO(data)) == _CONTAINERS[name.split(maxsplit=1)[0].lower()]


@pytest.mark.parametrize("subtype", ["ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32"])
def test_the_last_frame_of_alac_in_caf_is_whole(subtype: str) -> None:
    samples = speechlike(0.7)

    decoded = decode_audio(by_soundfile(samples, RATE, "CAF", subtype))

    assert decoded.size == samples.size
    np.testing.assert_allclose(decoded, samples, atol=2e-4)


@pytest.mark.parametrize(
    ("container", "subtype"), [("AIFF", "PCM_24"), ("AU", "PCM_16"), ("CAF", "FLOAT"), ("W64", "PCM_32")]
)
def test_channels_of_linear_samples_are_kept_apart(container: str, subtype: str) -> None:
    stereo = np.stack([speechlike(0.2), speechlike(0.2, seed=1)])

    decoded = decode_audio(by_soundfile(stereo.T, RATE, container, subtype), channels="separate")

    np.testing.assert_allclose(decoded, stereo, atol=1e-4)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"MAC \x96\x0f\0\0", "Monkey's Audio"),
        (b"MPCKSH", "Musepack"),
        (b".RMF\0\0\0\x12", "RealMedia"),
        (b"FLV\x01\x05", "Flash video"),
        (b"\x00\x00\x01\xba\x44", "an MPEG program stream"),
        (b"Creative Voice File\x1a", "a VOC"),
        (b"#EXTM3U\nhttp://", "a playlist"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture"),
        (b"PK\x03\x04\x14\0", "a ZIP"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"\xef\xbb\xbf<html><head>", "a web page"),
        (b'{"error": {"message": "', "text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    ],
)
def test_what_is_not_read_is_named(head: bytes, name: str) -> None:
    with pytest.raises(AudioError, match=rf"not a known audio file: .*{name}.*; allowed are WAV, .* and TTA"):
        decode_audio(head.ljust(2_000, b" "))


def test_other_codecs_are_named_with_those_that_are_read() -> None:
    data = encoded(speechlike(0.3), RATE, "wav", "adpcm_yamaha", "s16")

    with pytest.raises(AudioError, match=r"codec 'adpcm_yamaha'; allowed are PCM, FLAC, MP3, .* and TTA"):
        decode_audio(data)


def test_bytes_that_resemble_packets_for_a_moment_are_none() -> None:
    for start in (b"\x0b\x77" + bytes(30), b"\x47" * 188, b"FORM\0\0\0\x20ILBM", b".snd\0\0\0\x01"):
        noise = np.random.default_rng(5).integers(0, 255, 4_000, np.uint8).tobytes().replace(b"\xff", b"\xfe")
        with pytest.raises(AudioError, match="not a known audio file"):
            decode_audio(start + noise)


def test_a_transport_stream_may_begin_within_a_packet() -> None:
    data = FORMATS["mpegts mp2"]()

    whole, cut = decode_audio(data), decode_audio(data[100:])

    assert whole.size - cut.size < 0.1 * RATE


def test_packets_of_a_stream_that_begins_later_do_not_end_the_reading() -> None:
    one = FORMATS["mpegts mp2"]()
    stereo = np.stack([speechlike(SECONDS, 48_000)] * 2)
    other = by_ffmpeg(stereo, 48_000, "mpegts", "ac3", layout="stereo", mpegts_start_pid="0x300")

    samples = decode_audio(one + other + one)

    assert samples.size / RATE >= 2 * SECONDS - 0.05


def test_the_comfort_noise_of_amr_is_silence_and_no_damage() -> None:
    speech = by_ffmpeg(speechlike(0.4, 8_000), 8_000, "amr", "libopencore_amrnb")
    described, nothing = bytes([8 << 3 | 4, 1, 2, 3, 4, 5]), bytes([15 << 3 | 4])
    pause = (described + 7 * nothing) * 10  # of 160 frames of 20 ms
    warnings: list[AudioWarning] = []

    samples = decode_audio(speech + pause + speech.removeprefix(b"#!AMR\n"), warnings=warnings)

    assert warnings == []
    assert samples.size / RATE == pytest.approx(2 * 0.42 + 80 * 0.02, abs=0.05)
    assert np.abs(samples[int(1.2 * RATE) : int(1.7 * RATE)]).max() < 0.01


def test_a_stated_duration_is_told_without_decoding() -> None:
    for name in ("AIFF PCM_16", "AU PCM_16", "CAF ALAC_16", "W64 PCM_16", "asf wmav2", "avi mp3", "mov alac"):
        assert stated_duration_s(FORMATS[name]()) == pytest.approx(SECONDS, abs=0.06), name
