"""Tokenizer of a vocabulary file: token ids to text, and to words with times and confidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gigastt_lab.errors import ModelError, ModelNotFoundError
from gigastt_lab.types import Word

WORD_START = "\u2581"  # "▁", SentencePiece's mark of a word start
BLANK_PIECE = "<blk>"
UNKNOWN_PIECE = "<unk>"
UNKNOWN_TEXT = "\u2047"  # "⁇", what SentencePiece shows for a character outside its vocabulary

# Marks that Russian typography sets without a space: after a word, and before one. A dash stands
# alone between two words, straight quotes are ambiguous: both stay as the model spaced them.
_CLOSING = frozenset(",.!?:;…»)]}”")
_OPENING = frozenset("«([{„")


@dataclass
class _Draft:
    """A word while it is put together."""

    text: str = ""
    frames: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)

    def extend(self, other: _Draft) -> None:
        self.text += other.text
        self.frames += other.frames
        self.probabilities += other.probabilities


class Tokenizer:
    """The pieces of one vocabulary; ids are positions in it.

    Attributes:
        pieces: Pieces by id.
        blank_id: Id of the blank.
        is_spoken: True where a piece holds a letter or a digit; others are punctuation, which models emit
            late, in the silence that follows. Shape (n_pieces,).
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        """Wrap `pieces`; piece i has id i, one of them is ``<blk>`` (else ValueError)."""
        self.pieces = tuple(pieces)
        self.blank_id = self.pieces.index(BLANK_PIECE)
        surface = {BLANK_PIECE: "", UNKNOWN_PIECE: UNKNOWN_TEXT}
        self._surface = tuple(surface.get(piece, piece) for piece in self.pieces)
        self.is_spoken = np.array([any(map(str.isalnum, text)) for text in self._surface])

    @classmethod
    def from_file(cls, path: str | Path) -> Tokenizer:
        """Read a vocabulary of lines ``piece id``.

        Args:
            path: UTF-8 file; every id from 0 to the number of pieces - 1 once, in any order;
                ``<blk>`` among the pieces.

        Raises:
            ModelNotFoundError: there is no such file.
            ModelError: the file is malformed; the message names file and line.

        Source: the files of `istupakov/gigaam-v3-onnx`.
        """
        path = Path(path)
        pieces = _pieces_in_order(path, _read_lines(path))
        if BLANK_PIECE not in pieces:
            raise _malformed(path, f"has {len(pieces)} pieces and no {BLANK_PIECE}")
        return cls(pieces)

    def __len__(self) -> int:
        return len(self.pieces)

    def text(self, ids: Iterable[int]) -> str:
        """The text of `ids`, words joined by single spaces; the text of `words`, without times.

        >>> Tokenizer(["▁да", ",", "▁не", "т", "<blk>"]).text([0, 1, 2, 3])
        'да, нет'
        """
        return " ".join(draft.text for draft in self._drafts((int(i), 0, 0.0) for i in ids))

    def words(
        self,
        ids: Iterable[int],
        frames: Iterable[int],
        probabilities: Iterable[float],
        frame_s: float,
        offset_s: float = 0.0,
    ) -> tuple[Word, ...]:
        """Words with times and confidence.

        A piece with ``▁`` starts a word, others continue it; leading pieces without ``▁`` start the first
        word. Punctuation that comes as a word of its own is attached as Russian text is set: ``, . ! ? : ;
        … » ) ] } ”`` to the word before, ``« ( [ { „`` to the word after. With this one exception the words
        joined by single spaces are the plain detokenisation (``▁`` read as a space).

        Args:
            ids: Token ids, in the order emitted.
            frames: Encoder frame of each token, not decreasing.
            probabilities: Probability of each token, in [0, 1].
            frame_s: Seconds per encoder frame.
            offset_s: Time of frame 0 in seconds.

        Returns:
            Words; `start` is the start of the first token's frame, `end` the end of the last token's
            (attached punctuation included), `confidence` the mean token probability.
        """
        tokens = ((int(i), int(f), float(p)) for i, f, p in zip(ids, frames, probabilities, strict=True))
        return tuple(
            Word(
                text=draft.text,
                start=offset_s + draft.frames[0] * frame_s,
                end=offset_s + (draft.frames[-1] + 1) * frame_s,
                confidence=sum(draft.probabilities) / len(draft.probabilities),
            )
            for draft in self._drafts(tokens)
        )

    def _drafts(self, tokens: Iterable[tuple[int, int, float]]) -> list[_Draft]:
        drafts = [_Draft()]
        for token, frame, probability in tokens:
            continued, *started = self._surface[token].split(WORD_START)
            if continued:
                drafts[-1].extend(_Draft(continued, [frame], [probability]))
            # A bare "▁" belongs to the word that it starts: it is that word's first token.
            drafts += [_Draft(text, [frame], [probability]) for text in started]
        # No text: nothing came before the first "▁", or nothing but another "▁" came after one.
        return _attach_punctuation(draft for draft in drafts if draft.text)


def _attach_punctuation(drafts: Iterable[_Draft]) -> list[_Draft]:
    attached: list[_Draft] = []
    for draft in drafts:
        follows = attached and (_CLOSING.issuperset(draft.text) or _OPENING.issuperset(attached[-1].text))
        if follows:
            attached[-1].extend(draft)
        else:
            attached.append(draft)
    return attached


def _read_lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ModelNotFoundError(
            f"{path}: no such vocabulary file; download the model again or give another directory"
        ) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error}); check its permissions") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _malformed(path, f"line {line} is not UTF-8") from error
    # Not splitlines(): it would also split at characters such as U+2028, which may be pieces.
    return text.removesuffix("\n").split("\n")


def _pieces_in_order(path: Path, lines: list[str]) -> list[str]:
    pieces: dict[int, str] = {}
    line_of: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        match line.rstrip("\r").rsplit(" ", maxsplit=1):
            case [piece, digits] if piece and digits.isascii() and digits.isdecimal():
                token = int(digits)
            case _:
                raise _malformed(path, f"line {number} is {line!r} instead of 'piece id'")
        if token >= len(lines):
            raise _malformed(path, f"line {number} has id {token}, beyond the {len(lines)} lines")
        if token in pieces:
            raise _malformed(path, f"line {number} gives id {token} again")
        if piece in line_of:
            raise _malformed(path, f"line {number} repeats the piece {piece!r} of line {line_of[piece]}")
        pieces[token] = piece
        line_of[piece] = number
    return [pieces[token] for token in range(len(lines))]


def _malformed(path: Path, problem: str) -> ModelError:
    return ModelError(f"{path}: {problem}; download the file again, it must match the model's graphs")
