"""Limits: duration, memory, rates, channels, amplitudes, and what may be opened at all."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from gigastt_lab.audio.reading import decode_audio, from_array
from gigastt_lab.errors import AudioError, AudioNotFoundError, AudioTooLongError
from tests.support.audio_files import (
    RATE,
    by_ffmpeg,
    by_soundfile,
    media_recorder,
    pcm16,
    speechlike,
    wav_file,
)

FILES = {
    "wav": lambda x: by_soundfile(x, RATE, "WAV"),
    "live wav": lambda x: wav_file(pcm16(x), data_size=0),
    "flac": lambda x: by_soundfile(x, RATE, "FLAC"),
    "mp3": lambda x: by_soundfile(x, RATE, "MP3"),
    "ogg opus": lambda x: by_soundfile(x, RATE, "OGG", "OPUS"),
    "m4a": lambda x: by_ffmpeg(x, RATE, "ipod", "aac"),
    "webm": media_recorder,
}


@pytest.mark.parametrize("name", FILES)
def test_audio_longer_than_the_limit_is_refused(name: str) -> None:
    data = FILES[name](speechlike(2.0))

    with pytest.raises(AudioTooLongError, match=r"allowed are 1\.5 s"):
        decode_audio(data, max_duration_s=1.5)
    assert decode_audio(data, max_duration_s=2.1).size >= 2 * RATE


def test_the_limit_itself_is_allowed() -> None:
    for seconds in (1.1, 2.0):
        samples = speechlike(seconds)
        decode_audio(by_soundfile(samples, RATE, "WAV"), max_duration_s=seconds)
        from_array(samples, RATE, max_duration_s=seconds)
        with pytest.raises(AudioTooLongError):
            from_array(np.append(samples, 0), RATE, max_duration_s=seconds)


@pytest.mark.parametrize("max_duration_s", [0, -1, float("nan")])
def test_a_limit_must_be_a_duration(max_duration_s: float) -> None:
    with pytest.raises(ValueError, match="give seconds above 0"):
        decode_audio(b"", max_duration_s=max_duration_s)


BOMB_SCRIPT = """
import resource, sys
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioTooLongError
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
decode_audio(sys.argv[2], max_duration_s=60)
before = peak()
try:
    decode_audio(sys.argv[1], max_duration_s=60)
except AudioTooLongError:
    print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("container", ["FLAC", "WAV"])
def test_hours_of_silence_are_not_decoded_to_their_end(container: str, tmp_path: Path) -> None:
    # Six hours would take 1.4 GB as float32; one minute of stereo at 16 kHz 4 MB.
    bomb, short = tmp_path / "bomb", tmp_path / "short"
    short.write_bytes(by_soundfile(speechlike(1.0), RATE, container))
    if container == "FLAC":
        bomb.write_bytes(flac_of_silence(hours=6))
        assert bomb.stat().st_size < 3_000_000
    else:  # a sparse file: its size is a claim, its content costs nothing
        n_bytes = 6 * 3600 * RATE * 2
        with bomb.open("wb") as file:
            file.write(wav_file(b"", data_size=n_bytes))
            file.truncate(44 + n_bytes)

    command = [sys.executable, "-c", BOMB_SCRIPT, str(bomb), str(short)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=os.environ)

    assert float(result.stdout) < 40  # MiB more than for a second of audio


def flac_of_silence(hours: int) -> bytes:
    """One hour's frames again and again, under a header that does not tell the length."""
    data = bytearray(by_soundfile(np.zeros(3600 * RATE, np.float32), RATE, "FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    frames = data.index(b"\xff\xf8")
    return bytes(data[:frames]) + bytes(data[frames:]) * hours


@pytest.mark.parametrize("rate", [0, 1, 999, 384_001, 0xFFFFFFFF])
@pytest.mark.parametrize("data_size", [None, 0])
def test_headers_with_impossible_rates_are_refused(rate: int, data_size: int | None) -> None:
    with pytest.raises(AudioError, match=f"{rate} Hz; allowed are 1000 to 384000 Hz"):
        decode_audio(wav_file(pcm16(speechlike(0.1)), rate=rate, data_size=data_size))


@pytest.mark.parametrize("n_channels", [0, 33, 65_535])
def test_headers_with_impossible_channels_are_refused(n_channels: int) -> None:
    with pytest.raises(AudioError, match=f"{n_channels} channels; allowed are 1 to 32"):
        decode_audio(wav_file(pcm16(speechlike(0.1)), n_channels=n_channels))


@pytest.mark.parametrize("rate", [1_000, 384_000])
def test_the_outermost_rates_are_allowed(rate: int) -> None:
    assert decode_audio(wav_file(pcm16(speechlike(0.5, rate)), rate=rate)).shape == (RATE // 2,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [0, 3000, -1])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_nan_and_infinity_are_refused(value: float, position: int, dtype: str) -> None:
    samples = speechlike(0.5).astype(dtype)
    samples[position] = value
    wav = wav_file(samples.tobytes(), tag=3, bits=8 * samples.itemsize)

    for refused in (lambda: decode_audio(wav), lambda: from_array(samples, RATE)):
        with pytest.raises(AudioError, match="NaN or infinite samples"):
            refused()


def test_floats_on_an_integer_scale_are_refused() -> None:
    with pytest.raises(AudioError, match="divide samples on an integer scale"):
        from_array(speechlike(0.5) * 32768, RATE)
    with pytest.raises(AudioError, match=r"an amplitude of 1e\+300"):
        from_array(np.array([1e300, -1e300]), RATE)


def test_loud_floats_are_kept() -> None:
    assert from_array(np.array([1.5, -2.0]), RATE).tolist() == [1.5, -2.0]


@pytest.mark.parametrize("dtype", ["i8", "u2", "c8", "?", "O", "U1"])
def test_arrays_of_other_dtypes_are_refused(dtype: str) -> None:
    with pytest.raises(AudioError, match="allowed are floating in"):
        from_array(np.zeros(10, dtype), RATE)


@pytest.mark.parametrize("shape", [(), (0, 10), (1, 2, 3), (16_000, 2)])
def test_arrays_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match="n_channels, n_samples"):
        from_array(np.zeros(shape, np.float32), RATE)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), 10**9])
def test_arrays_at_impossible_rates_are_refused(rate: float) -> None:
    with pytest.raises(AudioError, match="allowed are 1000 to 384000 Hz"):
        from_array(np.zeros(10, np.float32), rate)  # type: ignore[arg-type]
    with pytest.raises(AudioError, match="allowed are 1000 to 384000 Hz"):
        from_array(np.zeros(10, np.float32), RATE, sample_rate_out=rate)  # type: ignore[arg-type]


def test_an_unknown_way_with_channels_is_refused() -> None:
    with pytest.raises(ValueError, match='allowed are "mean" and "separate"'):
        decode_audio(b"", channels="left")  # type: ignore[arg-type]


def test_a_missing_path_is_also_a_file_not_found_error(tmp_path: Path) -> None:
    missing = tmp_path / "missing.wav"

    with pytest.raises(AudioNotFoundError, match=r"there is no file .*missing\.wav") as caught:
        decode_audio(missing)
    assert isinstance(caught.value, AudioError)
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(AudioNotFoundError):
        decode_audio("http://127.0.0.1:1/a.wav")  # a path like any other


def test_what_is_not_a_readable_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for path in (tmp_path, pipe, "/dev/zero"):
        with pytest.raises(AudioError, match="not a regular file"):
            decode_audio(path)
    with pytest.raises(AudioError, match="cannot be opened"):
        decode_audio("a\0b")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.wav"
    path.write_bytes(wav_file(bytes(100)))
    path.chmod(0)

    with pytest.raises(AudioError, match="cannot be opened"):
        decode_audio(path)


def test_an_mp4_that_refers_to_another_file_does_not_make_us_read_it(tmp_path: Path) -> None:
    other = tmp_path / "other.aac"
    other.write_bytes(by_ffmpeg(speechlike(1.0), RATE, "adts", "aac"))
    data = with_external_data(by_ffmpeg(speechlike(1.0), RATE, "ipod", "aac"), str(other))

    asked_for: list[str] = []

    def note_and_refuse(url: str, *_: object) -> None:
        asked_for.append(url)
        raise PermissionError("noted")

    # FFmpeg does want to open it when told to: the file is a real threat.
    with pytest.raises(PermissionError, match="noted"):
        av.open(io.BytesIO(data), format="mov", options=DANGEROUS, io_open=note_and_refuse)
    assert asked_for == [str(other)]

    with pytest.raises(AudioError, match="without a single audio sample"):
        decode_audio(data)


DANGEROUS = {"enable_drefs": "1", "use_absolute_path": "1"}


def with_external_data(data: bytes, path: str) -> bytes:
    """An M4A whose data reference is not "this file" but a Macintosh alias of a path.

    Source: ISO/IEC 14496-12, section 8.7.2; the alias as FFmpeg's `mov_read_dref` reads it.
    """
    start = data.index(b"url \x00\x00\x00\x01") - 4
    encoded = path.encode() + b"\0" * (len(path) % 2)
    alias = bytes(150) + struct.pack(">HH", 2, len(encoded)) + encoded + b"\xff\xff\x00\x00"
    entry = struct.pack(">I", 12 + len(alias)) + b"alis" + bytes(4) + alias
    changed = bytearray(data[:start] + entry + data[start + 12 :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        position = changed.index(box) - 4
        (size,) = struct.unpack_from(">I", changed, position)
        struct.pack_into(">I", changed, position, size + len(entry) - 12)
    return bytes(changed)


@pytest.mark.parametrize("name", ["stsz", "trun"])
@pytest.mark.parametrize("long_header", [False, True])
def test_an_mp4_that_claims_millions_of_frames_takes_no_memory_for_them(name: str, long_header: bool) -> None:
    # FFmpeg would take 2 GB for it: a table of frames of one byte each needs no more room for more of them.
    box = name.encode() + (struct.pack(">Q", 28) if long_header else b"")
    box += struct.pack(">IIII", 0, 1, 50_000_000, 0) if name == "stsz" else struct.pack(">II", 0, 50_000_000)
    box = struct.pack(">I", 1 if long_header else len(box) + 4) + box

    data = by_ffmpeg(speechlike(0.5), RATE, "ipod", "aac")

    with pytest.raises(AudioError, match=r"an MP4 of 500000.. frames; allowed are 4000000"):
        decode_audio(with_box_in_moov(data, box))
    # A box that only looks like one of these, before it, hides nothing.
    with pytest.raises(AudioError, match=r"an MP4 of 500000.. frames; allowed are 4000000"):
        decode_audio(with_box_in_moov(data, b"\0\0\0\x0cfreestsz" + box))


def test_an_mp4_with_a_compressed_index_is_refused() -> None:
    data = by_ffmpeg(speechlike(0.5), RATE, "ipod", "aac")

    with pytest.raises(AudioError, match="index is compressed"):
        decode_audio(with_box_in_moov(data, b"\0\0\0\x14cmov\0\0\0\x0cdcomzlib"))


def with_box_in_moov(data: bytes, box: bytes) -> bytes:
    start = data.index(b"moov") - 4
    (size,) = struct.unpack_from(">I", data, start)
    return data[:start] + struct.pack(">I", size + len(box)) + data[start + 4 : start + size] + box


def test_other_codecs_are_refused_by_name() -> None:
    data = by_ffmpeg(speechlike(0.5), RATE, "wav", "adpcm_yamaha")

    with pytest.raises(AudioError, match="codec 'adpcm_yamaha'; allowed are PCM"):
        decode_audio(data)


def test_a_film_without_sound_is_refused() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as sink:
        stream = sink.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        sink.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        sink.mux(stream.encode(None))

    with pytest.raises(AudioError, match="without an audio track"):
        decode_audio(file.getvalue())


def test_audio_that_changes_its_rate_on_its_way_cannot_be_kept_in_channels() -> None:
    data = by_ffmpeg(speechlike(0.5), RATE, "adts", "aac")
    data += by_ffmpeg(speechlike(0.5, 48_000), 48_000, "adts", "aac")

    with pytest.raises(AudioError, match=r"changes from \(16000, 1\) to \(48000, 1\)"):
        decode_audio(data, channels="separate")
    assert 1.0 <= decode_audio(data).size / RATE < 1.2
