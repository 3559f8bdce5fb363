"""Targets: the pieces of the written text (learned by sentencepiece), the characters of the spoken one."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gigastt_lab.recognition.tokenizer import BLANK_PIECE, UNKNOWN_PIECE, WORD_START, Tokenizer

CHARACTERS = " абвгдежзийклмнопрстуфхцчшщъыьэюяё"  # the character CTC's classes; its blank comes after


def learn(texts: Iterable[str], n_pieces: int) -> list[str]:
    """Byte-pair pieces of written texts: `<unk>`, the merges in their order, the characters.

    Digits stay single, so that a number is spelt as it is spoken: digit by digit.
    """
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=n_pieces, model_type="bpe",
        character_coverage=1.0, normalization_rule_name="identity", split_digits=True, bos_id=-1, eos_id=-1,
        unk_id=0, minloglevel=2,
    )  # fmt: skip
    learned = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [learned.id_to_piece(i) for i in range(learned.get_piece_size())]


def write_vocabulary(pieces: Sequence[str], path: Path) -> None:
    """Write GigaAM's vocabulary file: `piece id` a line, the blank last."""
    lines = (f"{piece} {i}\n" for i, piece in enumerate([*pieces, BLANK_PIECE]))
    path.write_text("".join(lines), encoding="utf-8")


class Pieces:
    """Written texts to piece ids, by byte-pair encoding over a vocabulary whose order is that of the merges.

    Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", ACL 2016.
    """

    def __init__(self, vocabulary: Path) -> None:
        pieces = Tokenizer.from_file(vocabulary).pieces
        self._ids = {piece: i for i, piece in enumerate(pieces)}
        self._unknown = self._ids[UNKNOWN_PIECE]
        self._word_ids = functools.cache(self._encode_word)

    def ids(self, text: str) -> list[int]:
        """Piece ids of a written text; a character that the vocabulary lacks becomes `<unk>`."""
        return [i for word in text.split() for i in self._word_ids(WORD_START + word)]

    def _encode_word(self, word: str) -> tuple[int, ...]:
        symbols = list(word)
        while True:
            merges = (
                (self._ids[pair], i)
                for i in range(len(symbols) - 1)
                if (pair := symbols[i] + symbols[i + 1]) in self._ids
            )
            best = min(merges, default=None)  # the earliest merge, at its leftmost place
            if best is None:
                return tuple(self._ids.get(symbol, self._unknown) for symbol in symbols)
            symbols[best[1] : best[1] + 2] = [symbols[best[1]] + symbols[best[1] + 1]]


def character_ids(spoken: str) -> list[int]:
    """Classes of the spoken text: lower case, letters and single spaces.

    >>> "".join(CHARACTERS[i] for i in character_ids("Ну, ё-моё!"))
    'ну ё моё'
    """
    text = " ".join(re.findall("[а-яё]+", spoken.lower()))
    return [CHARACTERS.index(character) for character in text]
