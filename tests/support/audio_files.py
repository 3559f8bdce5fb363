"""Makes audio files of every container on the spot, and compares what was decoded with the original."""

from __future__ import annotations

import io
import os
import struct
import tempfile
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

RATE = 16_000


def speechlike(seconds: float = 2.0, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """A chirp under syllables of 4 Hz, and bursts of noise below 5 kHz. Shape (n_samples,), float32."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    chirp = 0.3 * np.sin(2 * np.pi * (150 * t + 400 * t**2)) * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * t))
    spectrum = np.fft.rfft(rng.standard_normal(t.size))
    spectrum[np.fft.rfftfreq(t.size, 1 / rate) > 5_000] = 0
    bursts = 0.05 * np.fft.irfft(spectrum, t.size) * (np.sin(2 * np.pi * 1.7 * t) > 0.3)
    return (chirp + bursts).astype(np.float32)


def golos_clip(index: int) -> np.ndarray:
    """Real speech at 16 kHz from the folder that GIGASTT_TEST_GOLOS names; skips without one."""
    folder = os.environ.get("GIGASTT_TEST_GOLOS")
    if not folder:
        pytest.skip("GIGASTT_TEST_GOLOS names no folder of real clips (golos_00.wav, ...)")
    samples, rate = soundfile.read(Path(folder) / f"golos_{index:02d}.wav", dtype="float32")
    assert rate == RATE
    return samples


def by_soundfile(samples: np.ndarray, rate: int, container: str, subtype: str | None = None) -> bytes:
    """A file by libsndfile. `samples` has the shape (n_samples,) or (n_samples, n_channels)."""
    file = io.BytesIO()
    n_channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(file, "w", rate, n_channels, subtype, format=container) as sound:
        for start in range(0, len(samples), 4096):  # its Vorbis encoder crashes on long arrays
            sound.write(samples[start : start + 4096])
    return file.getvalue()


def flac_that_states(samples: np.ndarray, rate: int, n_stated: int) -> bytes:
    """A FLAC whose header states another number of samples than it has."""
    data = by_soundfile(samples, rate, "FLAC")
    fields = int.from_bytes(data[18:26], "big")  # of STREAMINFO: the number is its last 36 bits
    return data[:18] + (fields >> 36 << 36 | n_stated).to_bytes(8, "big") + data[26:]


class _Pipe(io.RawIOBase):
    """A place to write that cannot seek, as a live recording is written."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.content += data
        return len(data)


def by_ffmpeg(
    samples: np.ndarray,
    rate: int,
    container: str,
    codec: str,
    *,
    live: bool = False,
    layout: str = "mono",
    **options: str,
) -> bytes:
    """A file by FFmpeg's libraries. `samples` has the shape (n_samples,) or (n_channels, n_samples)."""
    rows = np.atleast_2d(samples)
    pipe = _Pipe()
    folder = tempfile.TemporaryDirectory()  # "faststart" opens its file again by its name
    path = Path(folder.name) / "file"
    with folder, av.open(pipe if live else path, "w", format=container, options=options) as sink:
        stream = sink.add_stream(codec, rate=rate, layout=layout)
        name, planar = stream.codec_context.format.name, stream.codec_context.format.is_planar
        for start in range(0, rows.shape[1], 960):
            part = rows[:, start : start + 960]
            if not name.startswith("flt"):
                bits = 16 if name.startswith("s16") else 32
                part = np.round(part * (2.0 ** (bits - 1) - 1)).astype(f"i{bits // 8}")
            part = part if planar else part.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), name, layout)
            frame.sample_rate, frame.pts = rate, start
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
        sink.close()
        return bytes(pipe.content) if live else path.read_bytes()


def telegram_voice(samples: np.ndarray, rate: int = RATE) -> bytes:
    """Ogg/Opus whose last page is missing, as are voice notes of Telegram."""
    pages = ogg_pages(by_soundfile(samples, rate, "OGG", "OPUS"))
    return b"".join(pages[:-1])


def without_end_flag(data: bytes) -> bytes:
    """An Ogg whose last page does not say that it is the last."""
    pages = ogg_pages(data)
    last = bytearray(pages[-1])
    assert last[5] & 4, "the file has no end to take away"
    last[5] &= ~4
    last[22:26] = bytes(4)
    last[22:26] = struct.pack("<I", ogg_crc(last))
    return b"".join(pages[:-1]) + bytes(last)


def ogg_pages(data: bytes) -> list[bytes]:
    """The pages of an Ogg. Source: RFC 3533, section 6."""
    pages, start = [], 0
    while start < len(data):
        assert data[start : start + 4] == b"OggS"
        n_segments = data[start + 26]
        end = start + 27 + n_segments + sum(data[start + 27 : start + 27 + n_segments])
        pages.append(data[start:end])
        start = end
    return pages


def ogg_crc(page: bytes | bytearray) -> int:
    """Checksum of a page whose own field is 0. Source: RFC 3533, section 6."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def media_recorder(samples: np.ndarray, rate: int = RATE) -> bytes:
    """WebM/Opus as a browser records it: no duration, and neither segment nor clusters know their size."""
    data = bytearray(by_ffmpeg(samples, rate, "webm", "libopus", live=True, cluster_time_limit="500"))
    assert b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" in data, "the segment knows its size"
    assert b"\x44\x89" not in data[:400], "there is a duration"
    n_clusters, position = 0, data.find(b"\x1f\x43\xb6\x75")
    while position >= 0:
        size_bytes = 9 - data[position + 4].bit_length()  # EBML: leading zeros give the length
        unknown = (1 << 7 * size_bytes + 1) - 1  # the marker and all ones
        data[position + 4 : position + 4 + size_bytes] = unknown.to_bytes(size_bytes, "big")
        n_clusters += 1
        position = data.find(b"\x1f\x43\xb6\x75", position + 4)
    assert n_clusters > 1
    return bytes(data)


def wav_file(
    data: bytes,
    *,
    rate: int = RATE,
    n_channels: int = 1,
    data_size: int | None = None,
    tag: int = 1,
    bits: int = 16,
) -> bytes:
    """A WAV written by hand, so that its header may lie."""
    align = n_channels * bits // 8 % 2**16
    fields = struct.pack("<HHIIHH", tag, n_channels, rate, rate * align % 2**32, align, bits)
    size = len(data) if data_size is None else data_size
    body = b"WAVEfmt " + struct.pack("<I", len(fields)) + fields + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(len(body) + size, 0xFFFFFFFF)) + body + data


def pcm16(samples: np.ndarray) -> bytes:
    """PCM16 little-endian bytes of samples in [-1, 1)."""
    return np.round(samples * 32768).clip(-32768, 32767).astype("<i2").tobytes()


def alignment(reference: np.ndarray, other: np.ndarray, rate: int = RATE) -> tuple[float, float]:
    """How far and how well one signal follows another.

    Returns:
        The delay of `other` in seconds (where the cross-correlation peaks), and the correlation
        coefficient of the two once that delay is taken out.
    """
    n_fft = reference.size + other.size
    cross = np.fft.irfft(np.fft.rfft(other, n_fft) * np.fft.rfft(reference, n_fft).conj(), n_fft)
    delay = int(np.argmax(cross))
    delay = delay - n_fft if delay > n_fft // 2 else delay
    a, b = (reference, other[delay:]) if delay >= 0 else (reference[-delay:], other)
    n = min(a.size, b.size)
    return delay / rate, float(np.corrcoef(a[:n], b[:n])[0, 1])
