"""Raw audio: read as it is stated, and only where something is stated."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.audio.raw import RawAudio, raw_of_media_type, raw_or_file
from gigastt_lab.audio.reading import audio_blocks, decode_audio
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, alignment, by_ffmpeg, by_soundfile, pcm16, speechlike
from tests.support.format_files import encoded

SAMPLES = speechlike(0.5)
TELEPHONE = speechlike(0.5, 8_000)


def g711(subtype: str) -> bytes:
    """The samples of `TELEPHONE` in A-law or mu-law, by libsndfile: an AU's header has 24 bytes."""
    data = by_soundfile(TELEPHONE, 8_000, "AU", subtype)
    return data[int.from_bytes(data[4:8], "big") :]


@pytest.mark.parametrize(("encoding", "subtype"), [("alaw", "ALAW"), ("mulaw", "ULAW")])
def test_g711_is_what_a_file_with_a_header_gives(encoding: str, subtype: str) -> None:
    data = g711(subtype)

    samples = decode_audio(data, raw=RawAudio(encoding, 8_000))

    expected = decode_audio(by_soundfile(TELEPHONE, 8_000, "WAV", subtype))
    np.testing.assert_allclose(samples, expected, atol=1e-6)


def test_g722_is_read_at_16_khz() -> None:
    data = encoded(SAMPLES, RATE, "g722", "g722", "s16")

    for stated in (16_000, 8_000):  # RTP's clock
        delay_s, correlation = alignment(SAMPLES, decode_audio(data, raw=RawAudio("g722", stated)))
        assert abs(delay_s) < 0.003
        assert correlation > 0.99


@pytest.mark.parametrize(("encoding", "dtype"), [("s16le", "<i2"), ("s16be", ">i2")])
def test_pcm_has_the_stated_order_rate_and_channels(encoding: str, dtype: str) -> None:
    stereo = np.stack([SAMPLES, SAMPLES[::-1]])
    data = np.round(stereo.T * 32_767).astype(dtype).tobytes()

    apart = decode_audio(data, raw=RawAudio(encoding, 48_000, 2), sample_rate=48_000, channels="separate")

    np.testing.assert_allclose(apart, stereo, atol=1e-4)


def test_it_is_read_in_blocks_and_no_further_than_the_limit() -> None:
    data = pcm16(np.tile(SAMPLES, 40))

    blocks = list(audio_blocks(data, raw=RawAudio("s16le", RATE)))

    assert len(blocks) > 3
    np.testing.assert_allclose(np.concatenate(blocks), np.tile(SAMPLES, 40), atol=1e-4)
    with pytest.raises(AudioError, match=r"allowed are 5 s"):
        decode_audio(data, raw=RawAudio("s16le", RATE), max_duration_s=5)


def test_bytes_that_are_no_whole_sample_are_told() -> None:
    warnings: list[AudioWarning] = []

    samples = decode_audio(pcm16(SAMPLES) + b"\x01", raw=RawAudio("s16le", RATE), warnings=warnings)

    assert samples.size == SAMPLES.size
    assert [(warning.kind, warning.start) for warning in warnings] == [("cut", pytest.approx(0.5, abs=1e-3))]
    assert "the last 1 are no whole sample" in warnings[0].message


def test_a_file_with_a_header_is_not_read_as_raw() -> None:
    for data, name in (
        (by_soundfile(SAMPLES, RATE, "WAV"), "a WAV"),
        (by_soundfile(SAMPLES, RATE, "FLAC"), "a FLAC"),
        (by_soundfile(SAMPLES, RATE, "OGG", "OPUS"), "an Ogg"),
        (by_ffmpeg(SAMPLES, RATE, "webm", "libopus"), "a WebM"),
        (by_ffmpeg(SAMPLES, RATE, "ipod", "aac"), "an MP4"),
    ):
        with pytest.raises(AudioError, match=f"begins as {name}.*leave out that it is raw"):
            decode_audio(data, raw=RawAudio("s16le", RATE))
        assert raw_or_file("audio/L16;rate=16000", data[:16]) is None
        assert raw_or_file("audio/pcm", data[:16]) is None
    assert raw_or_file("audio/L16;rate=16000", pcm16(SAMPLES)[:16]) == RawAudio("s16be", 16_000)


@pytest.mark.parametrize("data", [b"", b"\x01"])
def test_no_sample_is_refused(data: bytes) -> None:
    with pytest.raises(AudioError, match="no sample of raw audio"):
        decode_audio(data, raw=RawAudio("s16le", RATE))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (("opus", 8_000, 1), "encoding 'opus'; allowed are s16le, s16be, alaw, mulaw, g722"),
        (("alaw", 100, 1), "a sample rate of 100 Hz"),
        (("alaw", 8_000, 0), "0 channels"),
        (("g722", 44_100, 1), "G.722 of 44100 Hz and 1 channels; it has always 16000 Hz"),
        (("g722", 16_000, 2), "G.722 of 16000 Hz and 2 channels"),
    ],
)
def test_a_statement_that_cannot_be_is_refused(statement: tuple[str, int, int], message: str) -> None:
    with pytest.raises(AudioError, match=message):
        RawAudio(*statement)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("audio/PCMU;rate=8000", RawAudio("mulaw", 8_000)),
        ("audio/pcmu", RawAudio("mulaw", 8_000)),
        ("audio/PCMA; rate=16000; channels=2", RawAudio("alaw", 16_000, 2)),
        ("audio/basic", RawAudio("mulaw", 8_000)),
        ("audio/x-mulaw;rate=8000", RawAudio("mulaw", 8_000)),
        ("audio/G722;rate=8000", RawAudio("g722", 8_000)),
        ("audio/G722", RawAudio("g722", 16_000)),
        ('audio/L16; Rate="44100"; channels=2', RawAudio("s16be", 44_100, 2)),
        ("audio/l16;rate=16000;endianness=little-endian", RawAudio("s16le", 16_000)),
        ("audio/pcm;rate=24000", RawAudio("s16le", 24_000)),
        ("audio/wav", None),
        ("application/octet-stream", None),
        ("multipart/form-data; boundary=x", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_a_media_type_states_it(content_type: str, expected: RawAudio | None) -> None:
    assert raw_of_media_type(content_type) == expected


@pytest.mark.parametrize(
    "content_type",
    ["audio/L16", "audio/pcm", "audio/L16;rate=fast", "audio/PCMU;rate=-8000", "audio/PCMU;channels=two",
     "audio/L16;rate*=utf-8''16000;channels=99999999", "audio/L16;rate=999999999999999999999",
     "audio/L16;rate=1", "audio/PCMA;channels=0"],
)  # fmt: skip
def test_a_media_type_that_states_too_little_is_refused(content_type: str) -> None:
    with pytest.raises(AudioError, match=r"rate|channels"):
        raw_of_media_type(content_type)
