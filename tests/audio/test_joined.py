"""Recordings that were joined byte behind byte are one: nothing of the later ones is lost."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from gigastt_lab.audio.pieces import Piece, cut
from gigastt_lab.audio.reading import audio_blocks, decode_audio, part_by_place, stated_duration_s
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, by_ffmpeg, by_soundfile, speechlike

FIRST, SECOND = speechlike(2.0), speechlike(1.5, seed=1)
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}
KINDS = {
    "wav": lambda samples: by_soundfile(samples, RATE, "WAV"),
    "wav of GSM": lambda samples: by_soundfile(samples, RATE, "WAV", "GSM610"),
    "rf64": lambda samples: by_soundfile(samples, RATE, "RF64"),
    "rifx": lambda samples: _rifx(by_soundfile(samples, RATE, "WAV")),
    "aiff": lambda samples: by_soundfile(samples, RATE, "AIFF"),
    "w64": lambda samples: by_soundfile(samples, RATE, "W64"),
    "caf": lambda samples: by_soundfile(samples, RATE, "CAF"),
    "m4a": lambda samples: by_ffmpeg(samples, RATE, "ipod", "aac"),
    "fragmented mp4": lambda samples: by_ffmpeg(samples, RATE, "mp4", "aac", **FRAGMENTS),
    "mp3": lambda samples: by_soundfile(samples, RATE, "MP3"),
    "flac": lambda samples: by_soundfile(samples, RATE, "FLAC"),
}
# Encoders fill their last frame, which is cut off again only at the end of a file.
SLACK = {"mp3": 5000}


def _rifx(data: bytes) -> bytes:
    fields = struct.unpack("<HHIIHH", data[20:36])
    size = len(data) - 44
    head = struct.pack(">4sI4s4sIHHIIHH4sI", b"RIFX", 36 + size, b"WAVE", b"fmt ", 16, *fields, b"data", size)
    return head + np.frombuffer(data[44:], "<i2").astype(">i2").tobytes()


@pytest.mark.parametrize("name", KINDS)
def test_all_of_the_joined_is_read(name: str) -> None:
    parts = [KINDS[name](FIRST), KINDS[name](SECOND), KINDS[name](FIRST)]
    apart = [decode_audio(each) for each in parts]
    together = np.concatenate(apart)

    joined = decode_audio(b"".join(parts))

    assert abs(len(joined) - len(together)) <= SLACK.get(name, 0)
    if name not in SLACK and name != "flac":
        np.testing.assert_allclose(joined, together, atol=2e-4)


def test_joined_wavs_may_differ_in_rate_and_channels_and_have_chunks_between() -> None:
    stereo = np.stack([speechlike(1.0, 44_100)] * 2, axis=1)
    chunk = b"LIST" + struct.pack("<I", 5) + b"INFOx\0"
    data = KINDS["wav"](FIRST) + chunk + by_soundfile(stereo, 44_100, "WAV", "PCM_24")

    assert len(decode_audio(data)) == 3 * RATE
    assert sum(map(len, audio_blocks(data))) == 3 * RATE
    assert stated_duration_s(data) == pytest.approx(3.0)


def test_times_of_a_loss_in_the_second_count_from_the_first() -> None:
    second = KINDS["wav"](SECOND)
    warnings: list[AudioWarning] = []
    data = KINDS["wav"](FIRST) + second[: 44 + RATE]  # half a second of it

    samples = decode_audio(data, warnings=warnings)

    assert len(samples) == 2.5 * RATE
    [warning] = warnings
    assert (warning.kind, warning.start, warning.end) == ("cut", 2.5, 3.5)
    assert warning.message.startswith("in what is joined behind 2.00 s, the file was cut")
    with pytest.raises(AudioError, match="was cut"):
        decode_audio(data, strict=True)


def test_a_second_that_cannot_be_read_is_a_warning() -> None:
    broken = b"RIFF" + struct.pack("<I", 28) + b"WAVEfmt " + struct.pack("<I", 16) + bytes(16)
    warnings: list[AudioWarning] = []

    assert len(decode_audio(KINDS["wav"](FIRST) + broken[:44], warnings=warnings)) == 2 * RATE

    assert [(each.kind, each.start) for each in warnings] == [("damaged", 2.0)]
    with pytest.raises(AudioError, match="0 channels"):
        decode_audio(KINDS["wav"](FIRST) + broken, strict=True)


def test_pieces_reach_into_the_second(tmp_path) -> None:
    path = tmp_path / "joined.wav"
    path.write_bytes(KINDS["wav"](FIRST) + KINDS["wav"](SECOND))

    assert part_by_place(path, 0, RATE) is None
    np.testing.assert_allclose(
        cut(Piece(path, 2.2, 2.7)), SECOND[round(0.2 * RATE) : round(0.7 * RATE)], atol=1e-4
    )


def test_fragments_behind_a_second_beginning_keep_the_clock_that_runs_on() -> None:
    data = by_ffmpeg(speechlike(3.0), RATE, "mp4", "aac", **FRAGMENTS)
    boxes = _boxes(data)
    head = b"".join(box for box in boxes if box[4:8] in {b"ftyp", b"moov"})
    third = [i for i, box in enumerate(boxes) if box[4:8] == b"moof"][3]

    again = b"".join(boxes[:third]) + head + b"".join(boxes[third:])

    assert len(decode_audio(again)) == len(decode_audio(data))


def _boxes(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append(data[at : at + size])
        at += size
    return found
