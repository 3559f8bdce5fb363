from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigastt_lab.errors import ModelError, ModelNotFoundError
from gigastt_lab.recognition.tokenizer import Tokenizer

PIECES = ["<unk>", "▁при", "вет", ",", "▁", "М", "осква", "▁—", "▁«", "▁,", "».", "▁да", "▁5", "«", "<blk>"]
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
    assert (hello.start, hello.end) == pytest.approx((1.08, 1.16))
    assert hello.confidence == pytest.approx(0.8)
    assert moscow.text == "Москва"
    assert (moscow.start, moscow.end) == pytest.approx((1.4, 1.64))
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
    assert (word.start, word.end, word.confidence) == (3.0, 6.0, 0.5)


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
