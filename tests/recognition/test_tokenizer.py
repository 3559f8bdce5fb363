from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigastt_lab.errors import ModelError, ModelNotFoundError
from gigastt_lab.recognition.tokenizer import Tokenizer

PIECES = [
    "<unk>",
    "▁при",
    "вет",
    ",",
    "▁",
    "М",
    "осква",
    "▁—",
    "▁«",
    "▁,",
    "».",
    "▁да",
    "▁5",
    "«",
    "%",
    "<blk>",
]
TOKENIZER = Tokenizer(PIECES)


def ids_of(*pieces: str) -> list[int]:
    return [PIECES.index(piece) for piece in pieces]


def texts(*pieces: str) -> list[str]:
    ids = ids_of(*pieces)
    return [word.text for word in TOKENIZER.words(ids, range(len(ids)), [1.0] * len(ids), 0.04)]


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "vocab.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_words_carry_times_and_confidence() -> None:
    # piece         ▁при  вет   ,        ▁     М   осква
    # frame           2    3    3        10    12   15
    ids = ids_of("▁при", "вет", ",", "▁", "М", "осква")
    hello, moscow = TOKENIZER.words(ids, [2, 3, 3, 10, 12, 15], [0.9, 0.8, 0.7, 1.0, 0.5, 0.6], 0.04, 1.0)
    assert hello.text == "привет,"
    assert (hello.start, hello.end) == pytest.approx((1.08, 1.24))  # goes on for 80 ms
    assert hello.confidence == pytest.approx(0.85)
    assert moscow.text == "Москва"
    assert (moscow.start, moscow.end) == pytest.approx((1.4, 1.72))
    assert moscow.confidence == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ((), []),
        (("вет", "▁да"), ["вет", "да"]),  # leading pieces without a mark
        (("▁", "▁да", "▁"), ["да"]),  # marks that start no word
        (("▁да", "▁,", "▁при"), ["да,", "при"]),  # a detached comma
        (("▁да", "▁«", "▁", "М", "осква", "»."), ["да", "«Москва»."]),  # a detached opening quote
        (("▁да", "▁«", "осква"), ["да", "«осква"]),
        (("▁", "М", "осква", "▁—", "▁да"), ["Москва", "—", "да"]),  # a dash stands alone
        (("▁,", "▁да"), [",", "да"]),  # nothing before it
        (("▁да", "▁«"), ["да", "«"]),  # nothing after it
        (("▁при", "<unk>", "<blk>", "вет"), ["при⁇вет"]),
    ],
)
def test_word_boundaries(pieces: tuple[str, ...], expected: list[str]) -> None:
    assert texts(*pieces) == expected
    assert TOKENIZER.text(ids_of(*pieces)) == " ".join(expected)


def test_a_bare_word_start_is_the_first_token_of_its_word() -> None:
    (word,) = TOKENIZER.words(ids_of("▁", "М"), [3, 5], [0.4, 0.6], 1.0)
    assert (word.start, word.end, word.confidence) == (3.0, 8.0, 0.5)


def timed(*rows: tuple[str, int, float], until_s: float = math.inf) -> list[tuple[str, float, float, float]]:
    """Words of rows of piece, frame and probability, their times in frames."""
    pieces, frames, probabilities = zip(*rows, strict=True)
    words = TOKENIZER.words(ids_of(*pieces), frames, probabilities, 1.0, until_s=until_s)
    return [(word.text, word.start, word.end, word.confidence) for word in words]


def test_punctuation_that_comes_late_ends_no_word_later() -> None:
    assert timed(("▁да", 10, 0.9), (",", 35, 0.1), ("▁да", 60, 0.5), ("».", 99, 0.2)) == [
        ("да,", 10, 13, 0.9),
        ("да».", 60, 63, 0.5),
    ]
    assert timed(("▁да", 10, 0.9), ("▁,", 35, 0.1)) == [("да,", 10, 13, 0.9)]  # a word of its own
    assert timed(("▁", 9, 0.7), ("М", 10, 0.9), ("▁", 34, 0.6), (",", 35, 0.1)) == [("М,", 9, 13, 0.8)]


def test_a_quote_that_opens_early_begins_no_word() -> None:
    assert timed(("▁да", 0, 1.0), ("▁«", 5, 0.1), ("осква", 40, 0.8), ("».", 70, 0.1)) == [
        ("да", 0, 3, 1.0),
        ("«осква».", 40, 43, 0.8),
    ]
    assert timed(("▁", 4, 0.9), ("«", 5, 0.1), ("М", 40, 0.8)) == [("«М", 40, 43, 0.8)]


def test_signs_that_are_read_aloud_are_sound() -> None:
    assert timed(("▁5", 10, 0.5), ("%", 20, 1.0), (",", 30, 0.1)) == [("5%,", 10, 23, 0.75)]
    assert [PIECES[i] for i in np.flatnonzero(~TOKENIZER.is_spoken)] == [
        "<unk>", ",", "▁", "▁—", "▁«", "▁,", "».", "«", "<blk>"
    ]  # fmt: skip


def test_a_word_of_punctuation_alone_has_its_own_time() -> None:
    assert timed(("▁да", 10, 0.9), ("▁—", 30, 0.4), (",", 31, 0.6), ("▁да", 40, 0.5)) == [
        ("да", 10, 13, 0.9),
        ("—,", 30, 32, 0.5),
        ("да", 40, 43, 0.5),
    ]
    assert timed((",", 3, 0.4), ("».", 9, 0.6)) == [(",».", 3, 10, 0.5)]


def test_no_word_ends_behind_the_audio() -> None:
    assert timed(("▁да", 10, 1.0), ("вет", 12, 1.0), until_s=12.5) == [("давет", 10, 12.5, 1.0)]
    assert timed(("▁да", 10, 1.0), until_s=12.0) == [("да", 10, 12, 1.0)]


def test_words_of_one_frame_share_it() -> None:
    three = timed(("▁да", 3, 1.0), ("вет", 5, 1.0), ("▁5", 5, 1.0), ("▁да", 5, 1.0), ("вет", 6, 1.0))
    assert [(text, round(start, 6), round(end, 6)) for text, start, end, _ in three] == [
        ("давет", 3, 5.333333),
        ("5", 5.333333, 5.666667),
        ("давет", 5.666667, 9),
    ]


def test_the_last_frame_is_that_of_the_punctuation_too() -> None:
    ids = ids_of("▁да", ",", "▁", "М", "▁,", "▁—", "▁")
    assert TOKENIZER.last_frames(ids, [1, 9, 20, 21, 30, 31, 40]) == [9, 30, 31]


def plain(ids: list[int]) -> str:
    """Detokenised with nothing but `▁` read as a space, and spaces made single."""
    text = "".join(PIECES[i].replace("<unk>", "⁇").replace("<blk>", "") for i in ids)
    return " ".join(text.replace("▁", " ").split())


tokens = st.lists(st.integers(0, len(PIECES) - 1))


@given(tokens)
def test_words_joined_are_the_detokenised_text(ids: list[int]) -> None:
    words = TOKENIZER.words(ids, range(len(ids)), [1.0] * len(ids), 0.04)
    joined = " ".join(word.text for word in words)
    assert joined == TOKENIZER.text(ids)
    assert joined.replace(" ", "") == plain(ids).replace(" ", "")
    # The one exception: punctuation that comes as a word of its own.
    if not any(set(word) <= set("«,».") for word in plain(ids).split()):
        assert joined == plain(ids)
    assert all(word.text and " " not in word.text for word in words)


@given(tokens)
def test_times_never_go_back(ids: list[int]) -> None:
    words = TOKENIZER.words(ids, range(len(ids)), [1.0] * len(ids), 0.04)
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)


@st.composite
def timed_tokens(draw: st.DrawFn) -> tuple[list[int], list[int], list[float]]:
    """Tokens as a search may give them: several in a frame, long stretches without any."""
    ids = draw(st.lists(st.integers(0, len(PIECES) - 1), min_size=1, max_size=40))
    steps = draw(st.lists(st.sampled_from([0, 0, 1, 2, 5, 60]), min_size=len(ids), max_size=len(ids)))
    probabilities = draw(st.lists(st.floats(0, 1), min_size=len(ids), max_size=len(ids)))
    return ids, np.cumsum(steps).tolist(), probabilities


@given(timed_tokens(), st.floats(0, 1), st.sampled_from([0.0, 7.0, 86_400.0]))
def test_words_lie_one_behind_the_other_within_the_audio(
    case: tuple[list[int], list[int], list[float]], rest: float, offset_s: float
) -> None:
    ids, frames, probabilities = case
    until_s = offset_s + (frames[-1] + 0.1 + 0.9 * rest) * 0.04  # the audio ends within the last frame
    words = TOKENIZER.words(ids, frames, probabilities, 0.04, offset_s, until_s=until_s)
    assert [word.text for word in words] == [
        word.text for word in TOKENIZER.words(ids, frames, probabilities, 1)
    ]
    assert all(offset_s <= word.start <= word.end <= until_s for word in words)
    assert all(one.end <= other.start for one, other in pairwise(words))
    assert all(word.start < word.end for word in words if word.end < until_s)
    assert all(min(probabilities) - 1e-9 <= word.confidence <= max(probabilities) + 1e-9 for word in words)
    assert len(TOKENIZER.last_frames(ids, frames)) == len(words)


@given(timed_tokens(), st.data())
def test_punctuation_moves_no_word(
    case: tuple[list[int], list[int], list[float]], data: st.DataObject
) -> None:
    """The words with commas at any place behind a word, as late as may be, and without them."""
    ids, frames, _ = case
    spoken = [(i, frame) for i, frame in zip(ids, frames, strict=True) if PIECES[i] in ("▁при", "▁да", "вет")]
    tokens = []
    for n, (i, frame) in enumerate(spoken):
        tokens.append((i, frame))
        following = spoken[n + 1 :][:1]
        if data.draw(st.booleans()) and all(PIECES[j].startswith("▁") for j, _ in following):
            latest = following[0][1] if following else frame + 100
            tokens.append((PIECES.index(","), data.draw(st.integers(frame, latest))))
    plain, marked = (
        TOKENIZER.words([i for i, _ in each], [f for _, f in each], [0.5] * len(each), 0.04)
        for each in (spoken, tokens)
    )
    assert [(w.text.strip(","), w.start, w.end, w.confidence) for w in marked] == [
        (w.text, w.start, w.end, w.confidence) for w in plain
    ]


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        TOKENIZER.words([1, 2], [0], [1.0, 1.0], 0.04)


def test_reads_a_file(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff<unk> 0\n▁да 1\r\n<blk> 3\n\u2028 2\n")  # BOM, CRLF, any order, odd piece
    tokenizer = Tokenizer.from_file(path)
    assert tokenizer.pieces == ("<unk>", "▁да", "\u2028", "<blk>")
    assert len(tokenizer) == 4
    assert tokenizer.blank_id == 3


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"vocab\.txt: no such vocabulary file"):
        Tokenizer.from_file(tmp_path / "vocab.txt")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "line 1 is '' instead of 'piece id'"),
        ("▁да 0\n\n<blk> 1\n", "line 2 is ''"),
        ("▁да 0\n<blk>\n", "line 2 is '<blk>'"),
        ("▁да 0\n<blk> x\n", "line 2 is '<blk> x'"),
        ("▁да 0\n<blk> ²\n", "line 2 is '<blk> ²'"),
        ("▁да 0\n<blk> 2\n", "line 2 has id 2, beyond the 2 lines"),
        ("▁да 0\n▁не 0\n<blk> 1\n", "line 2 gives id 0 again"),
        ("▁да 0\n▁да 1\n<blk> 2\n", "line 2 repeats the piece '▁да' of line 1"),
        ("▁да 0\n▁не 1\n", "has 2 pieces and no <blk>"),
        ("▁да 0\n".encode() + b"\xff 1\n", "line 2 is not UTF-8"),
    ],
)
def test_malformed_files(tmp_path: Path, content: str | bytes, problem: str) -> None:
    with pytest.raises(ModelError) as caught:
        Tokenizer.from_file(write(tmp_path, content))
    assert problem in str(caught.value)
    assert "vocab.txt" in str(caught.value)
    assert "download the file again" in str(caught.value)


def test_blank_is_needed() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        Tokenizer(["▁да"])
