"""Pieces of recordings that were cut, are damaged or have holes: each tells of what falls into it alone."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.audio.pieces import Piece, cut, within
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, by_ffmpeg, by_soundfile, ogg_pages, pcm16, speechlike, wav_file

SECONDS = 12.0
SAMPLES = speechlike(SECONDS)
PCM = pcm16(SAMPLES)
CUT_AT_S = 7.5


def cut_flac():
    data = by_soundfile(SAMPLES, RATE, "FLAC")
    return data[: int(len(data) * CUT_AT_S / SECONDS)]


CUT = {
    "wav": lambda: wav_file(PCM)[: 44 + round(CUT_AT_S * RATE) * 2],
    "wav at 8 kHz": lambda: wav_file(PCM, rate=RATE // 2)[: 44 + round(CUT_AT_S * RATE)],
    "flac": cut_flac,
}


def told(piece):
    """Kinds and times of the warnings of a piece, and its seconds."""
    found: list[AudioWarning] = []
    samples = cut(piece, found)
    return [(each.kind, each.start, each.end) for each in found], len(samples) / RATE


@pytest.mark.parametrize("name", CUT)
def test_only_the_piece_that_the_cut_falls_into_lacks_something(tmp_path, name):
    path = tmp_path / "recording"
    path.write_bytes(CUT[name]())
    end_s = len(decode_audio(path)) / RATE
    promised_s = SECONDS if name != "wav at 8 kHz" else 2 * SECONDS

    assert told(Piece(path, 0.0, 2.0)) == ([], 2.0)
    assert told(Piece(path, 2.0, end_s)) == ([], pytest.approx(end_s - 2.0, abs=1e-3))  # to the last sample
    [(kind, start, end)], length_s = told(Piece(path, 6.0, 9.5))
    assert (kind, start, end) == ("cut", pytest.approx(end_s - 6.0, abs=0.01), 3.5)
    assert length_s == pytest.approx(start, abs=0.01)
    [(kind, start, end)], _ = told(Piece(path, 5.0))  # to the end of a recording that has lost its own
    assert (kind, start) == ("cut", pytest.approx(end_s - 5.0, abs=0.01))
    assert end == pytest.approx(promised_s - 5.0, abs=0.02)


@pytest.mark.parametrize("name", CUT)
def test_a_piece_behind_a_cut_fails_and_the_cut_is_the_reason(tmp_path, name):
    path = tmp_path / "recording"
    path.write_bytes(CUT[name]())

    with pytest.raises(AudioError, match=r"the piece begins at 11 s, and the recording ends at .*was cut"):
        cut(Piece(path, 11.0, 12.0))


def test_damage_is_told_of_the_pieces_that_it_falls_into_in_their_times(tmp_path):
    data, whole = by_soundfile(SAMPLES, RATE, "FLAC"), []
    broken = data[: len(data) // 2] + bytes(300) + data[len(data) // 2 + 300 :]
    decode_audio(broken, warnings=whole)
    [damage] = whole
    path = tmp_path / "recording"
    path.write_bytes(broken)
    middle_s = round((damage.start + damage.end) / 2, 3)

    before, _ = told(Piece(path, 1.0, damage.start))
    [first], _ = told(Piece(path, 1.0, middle_s))
    [second], _ = told(Piece(path, middle_s, damage.end + 1))
    [both], _ = told(Piece(path, 2.0, 11.0))
    behind, _ = told(Piece(path, damage.end, 11.0))

    assert before == behind == []
    assert first == ("damaged", pytest.approx(damage.start - 1), pytest.approx(middle_s - 1))
    assert second == ("damaged", 0.0, pytest.approx(damage.end - middle_s))
    assert both == ("damaged", pytest.approx(damage.start - 2), pytest.approx(damage.end - 2))
    found: list[AudioWarning] = []
    samples = cut(Piece(path, 2.0, 11.0), found)
    assert not samples[round(both[1] * RATE) : round(both[2] * RATE)].any()  # the silence is where it says
    assert found[0].message == f"in times of the recording, {damage.message}"


def test_a_hole_is_told_whatever_the_order_of_the_pieces(tmp_path):
    pages = ogg_pages(by_soundfile(SAMPLES, RATE, "OGG", "OPUS"))
    path = tmp_path / "recording"
    path.write_bytes(b"".join(pages[:6] + pages[7:]))
    whole: list[AudioWarning] = []
    decode_audio(path, warnings=whole)
    [hole] = whole

    around = Piece(path, hole.start - 0.5, hole.end + 0.5)
    later = Piece(path, hole.end + 1.0, hole.end + 2.0)
    expected = [("hole", pytest.approx(0.5), pytest.approx(0.5 + hole.end - hole.start))]

    for piece, found in ((around, expected), (later, []), (around, expected), (around, expected)):
        assert told(piece)[0] == found


def test_a_whole_recording_has_no_warning_and_a_stated_length_costs_nothing(tmp_path):
    path = tmp_path / "recording"
    for data in (wav_file(PCM), wav_file(PCM, data_size=RATE * 2), by_soundfile(SAMPLES, RATE, "FLAC")):
        path.write_bytes(data)
        for stretch in ((0.0, 2.0), (10.0, 12.0), (3.0, None), (11.0, 20.0)):
            assert told(Piece(path, *stretch))[0] == []


def test_every_place_is_told_of_its_piece_though_decode_audio_tells_twenty(tmp_path):
    pages = ogg_pages(by_ffmpeg(speechlike(30.0), RATE, "ogg", "libopus", page_duration="100000"))
    path = tmp_path / "recording"
    path.write_bytes(b"".join(page for i, page in enumerate(pages) if i < 4 or i % 4))
    whole: list[AudioWarning] = []
    decode_audio(path, warnings=whole)
    *places, rest = whole
    kind = places[0].kind

    every, _ = told(Piece(path, 0.0))

    assert len(places) == 20
    assert rest.start is None
    n_further = int(rest.message.split()[2])
    assert len(every) == 20 + n_further
    assert {each[0] for each in every} == {kind}
    starts = [each[1] for each in every]
    assert starts == sorted(starts)
    last = every[-1]
    around, _ = told(Piece(path, last[1] - 0.05, last[2] + 0.05))
    assert around == [(kind, pytest.approx(0.05), pytest.approx(0.05 + last[2] - last[1]))]


def test_warnings_of_a_stretch():
    warnings = [
        AudioWarning("track", "two"),
        AudioWarning("hole", "of a sum"),
        AudioWarning("clock", "jumps", 5.0),
        AudioWarning("phase", "turned", 0.0, 9.0),
        AudioWarning("damaged", "nothing behind", 8.0),
    ]

    def kinds(*stretch):
        return [(each.kind, each.start, each.end) for each in within(warnings, *stretch)]

    assert kinds(0.0, 5.0) == [("track", None, None)]
    assert kinds(5.0, 6.0) == [("track", None, None), ("clock", 0.0, None)]
    assert kinds(7.0, 9.0) == [("track", None, None), ("damaged", 1.0, 2.0)]
    assert kinds(9.0) == [("track", None, None), ("damaged", 0.0, None)]
    assert kinds(6.0, 8.0) == [("track", None, None)]


def test_samples_are_those_of_the_decoded_recording_whatever_was_lost(tmp_path):
    path = tmp_path / "recording"
    data = by_soundfile(SAMPLES, RATE, "FLAC")
    path.write_bytes(data[: len(data) // 3] + bytes(300) + data[len(data) // 3 + 300 : -4000])
    whole = decode_audio(path)

    for start, end in ((0.5, 3.0), (3.0, 5.25), (4.0, 12.0)):
        expected = whole[round(start * RATE) : round(end * RATE)]
        np.testing.assert_array_equal(cut(Piece(path, start, end)), expected)
