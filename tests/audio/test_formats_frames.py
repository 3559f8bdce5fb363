"""Streams of frames whose numbers, lengths or ends say something else than decoders take them for."""

from __future__ import annotations

import io

import av
import numpy as np

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, by_soundfile, speechlike

_FLAC_INFO = 8 + 34  # the stream's marker, a header and STREAMINFO


def crc(data: bytes, n_bits: int, polynomial: int) -> int:
    """Checksums of FLAC's frames. Source: RFC 9639, sections 9.1.8 and 9.3."""
    value, top = 0, 1 << n_bits - 1
    for byte in data:
        value ^= byte << n_bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & (1 << n_bits) - 1
    return value


def flac_of_numbered_frames(samples: np.ndarray, lengths: list[int]) -> bytes:
    """FLAC as encoders wrote it before 2007: frames of several lengths, numbered one by one."""
    frames, start = [], 0
    for number, length in enumerate(lengths):
        data = by_soundfile(samples[start : start + length], RATE, "FLAC")
        with av.open(io.BytesIO(data)) as source:
            (frame,) = [bytes(packet) for packet in source.demux() if packet.size]
        extra = {6: 1, 7: 2}.get(frame[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(frame[2] & 15, 0)
        assert frame[4] == 0  # its number
        head = frame[:4] + bytes([number]) + frame[5 : 5 + extra]
        body = head + bytes([crc(head, 8, 0x07)]) + frame[5 + extra + 1 : -2]
        frames.append(body + crc(body, 16, 0x8005).to_bytes(2, "big"))
        start += length
    whole = by_soundfile(samples[:start], RATE, "FLAC")
    info = bytearray(whole[:_FLAC_INFO])
    info[4] |= 0x80  # no further metadata
    info[8:12] = min(lengths).to_bytes(2, "big") + max(lengths).to_bytes(2, "big")
    return bytes(info) + b"".join(frames)


def test_numbered_frames_of_several_lengths_leave_no_holes() -> None:
    samples = speechlike(3.0)
    data = flac_of_numbered_frames(samples, [1_000, 4_000, 900, 4_096, 256, 3_000])
    warnings: list[AudioWarning] = []

    decoded = decode_audio(data, warnings=warnings)

    assert warnings == []
    np.testing.assert_allclose(decoded, samples[: decoded.size], atol=1e-4)
    assert decoded.size == 13_252


def test_what_follows_the_length_in_an_mp3s_header_is_no_damage() -> None:
    whole = by_soundfile(speechlike(2.0), RATE, "MP3")
    warnings: list[AudioWarning] = []

    samples = decode_audio(whole + b"\xde\xad\xbe\xef" * 20_000, warnings=warnings)

    assert abs(samples.size - decode_audio(whole).size) < 0.1 * RATE
    assert [warning.kind for warning in warnings] == ["length"]
    assert "is no audio" in warnings[0].message
