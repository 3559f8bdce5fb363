"""Tokenizer of a vocabulary file: token ids to text, and to words with times and confidence."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gigastt_lab.errors import ModelError, ModelNotFoundError
from gigastt_lab.recognition.word_edges import FrameSpan, word_edges
from gigastt_lab.types import Word

WORD_START = "\u2581"  # "▁", SentencePiece's mark of a word start
BLANK_PIECE = "<blk>"
UNKNOWN_PIECE = "<unk>"
UNKNOWN_TEXT = "\u2047"  # "⁇", what SentencePiece shows for a character outside its vocabulary

# Marks that Russian typography sets without a space: after a word, and before one. A dash stands
# alone between two words, straight quotes are ambiguous: both stay as the model spaced them.
_CLOSING = frozenset(",.!?:;…»)]}”")
_OPENING = frozenset("«([{„")


# Signs among Unicode's punctuation that are read aloud; its signs of money and mathematics, № and ° are too.
_READ_ALOUD = frozenset("%‰&@#§")


@dataclass(frozen=True)
class _Token:
    """A token of a word: its encoder frame and its probability."""

    frame: int
    probability: float


@dataclass
class _Draft:
    """A word while it is put together.

    Attributes:
        text: The word as written so far.
        tokens: Tokens that its times and confidence are of: those with a sound, and the mark of its start.
            Of a word that is punctuation alone, all.
        sounds: False of such a word.
        last_frame: Frame of its last token of any kind.
    """

    text: str
    tokens: list[_Token]
    sounds: bool
    last_frame: int

    def extend(self, other: _Draft) -> None:
        """Go on with `other`: punctuation adds to the text of what sounds, not to its time."""
        self.text += other.text
        self.last_frame = other.last_frame
        if self.sounds == other.sounds:
            self.tokens += other.tokens
        elif other.sounds:
            self.tokens, self.sounds = other.tokens, True


class Tokenizer:
    """The pieces of one vocabulary; ids are positions in it.

    Attributes:
        pieces: Pieces by id.
        blank_id: Id of the blank.
        is_spoken: True where a piece holds a letter, a digit or a sign that is read aloud; others are
            punctuation, which models emit late, in the silence that follows. Shape (n_pieces,).
        is_closing: True of a piece that is nothing but punctuation of the word before. Shape (n_pieces,).
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        """Wrap `pieces`; piece i has id i, one of them is ``<blk>`` (else ValueError)."""
        self.pieces = tuple(pieces)
        self.blank_id = self.pieces.index(BLANK_PIECE)
        surface = {BLANK_PIECE: "", UNKNOWN_PIECE: UNKNOWN_TEXT}
        self._surface = tuple(surface.get(piece, piece) for piece in self.pieces)
        self.is_spoken = np.array([_is_spoken(text) for text in self._surface])
        marks = [text.removeprefix(WORD_START) for text in self._surface]
        self.is_closing = np.array([bool(text) and _CLOSING.issuperset(text) for text in marks])

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
        return " ".join(draft.text for draft in self._drafts((int(i), _Token(0, 0.0)) for i in ids))

    def words(
        self,
        ids: Iterable[int],
        frames: Iterable[int],
        probabilities: Iterable[float],
        frame_s: float,
        offset_s: float = 0.0,
        *,
        until_s: float = math.inf,
    ) -> tuple[Word, ...]:
        """Words with times and confidence.

        A piece with ``▁`` starts a word, others continue it; leading pieces without ``▁`` start the first
        word. Punctuation that comes as a word of its own is attached as Russian text is set: ``, . ! ? : ;
        … » ) ] } ”`` to the word before, ``« ( [ { „`` to the word after. With this one exception the words
        joined by single spaces are the plain detokenisation (``▁`` read as a space).

        Models emit punctuation late: a full stop once the silence behind it tells that the sentence is over.
        So times and confidence are those of the pieces with a sound (`is_spoken`) and of a ``▁`` before them;
        only a word that is punctuation alone, as a dash is, has its own.

        Args:
            ids: Token ids, in the order emitted.
            frames: Encoder frame of each token, not decreasing.
            probabilities: Probability of each token, in [0, 1].
            frame_s: Seconds per encoder frame.
            offset_s: Time of frame 0 in seconds.
            until_s: Time at which the audio ends, in seconds: the last frame may reach beyond it.

        Returns:
            Words, none inside another and none beyond `until_s`; `start` and `end` as `word_edges` has them,
            `confidence` the mean token probability.
        """
        tokens = (
            (int(i), _Token(int(frame), float(probability)))
            for i, frame, probability in zip(ids, frames, probabilities, strict=True)
        )
        drafts = self._drafts(tokens)
        edges = word_edges(
            [FrameSpan(each.tokens[0].frame, each.tokens[-1].frame, each.sounds) for each in drafts]
        )
        return tuple(
            Word(
                text=draft.text,
                start=min(offset_s + begin * frame_s, until_s),
                end=min(offset_s + end * frame_s, until_s),
                confidence=sum(token.probability for token in draft.tokens) / len(draft.tokens),
            )
            for draft, (begin, end) in zip(drafts, edges, strict=True)
        )

    def last_frames(self, ids: Iterable[int], frames: Iterable[int]) -> list[int]:
        """Frame of the last token of each of `words`, punctuation included: there the word was complete.

        >>> Tokenizer(["▁да", ",", "▁не", "т", "<blk>"]).last_frames([0, 1, 2, 3], [5, 20, 21, 24])
        [20, 24]
        """
        tokens = ((int(i), _Token(int(frame), 0.0)) for i, frame in zip(ids, frames, strict=True))
        return [draft.last_frame for draft in self._drafts(tokens)]

    def _drafts(self, tokens: Iterable[tuple[int, _Token]]) -> list[_Draft]:
        drafts: list[_Draft] = []
        mark: list[_Token] = []  # a bare "▁": the first token of the word that it starts
        for i, token in tokens:
            continued, *started = self._surface[i].split(WORD_START)
            if continued:
                part = _Draft(continued, [*mark, token], _is_spoken(continued), token.frame)
                if mark or not drafts:
                    drafts.append(part)
                else:
                    drafts[-1].extend(part)
                mark = []
            for text in started:
                if text:
                    drafts.append(_Draft(text, [token], _is_spoken(text), token.frame))
                mark = [] if text else [token]
        return _attach_punctuation(drafts)


def _is_spoken(text: str) -> bool:
    """True if a text holds a letter, a digit or a sign that is read aloud.

    >>> [_is_spoken(text) for text in ("да,", "▁5", "%", "№", "₽", ",", "»", "—", "▁", "⁇")]
    [True, True, True, True, True, False, False, False, False, False]
    """
    return any(
        character.isalnum()
        or character in _READ_ALOUD
        or unicodedata.category(character) in ("Sc", "Sm", "So")
        for character in text
        if character != WORD_START
    )


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
