"""Targets: the pieces of the written text (learned by sentencepiece), the characters of the spoken one."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

CHARACTERS = " абвгдежзийклмнопрстуфхцчшщъыьэюяё"  # the character CTC's classes; its blank comes after
BLANK_PIECE = "<blk>"


def learn(texts: Iterable[str], n_pieces: int, model_file: Path) -> None:
    """Learn `n_pieces` byte-pair pieces from written texts; `<unk>` is the first, digits stay single."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=n_pieces, model_type="bpe",
        character_coverage=1.0, normalization_rule_name="identity", split_digits=True, bos_id=-1, eos_id=-1,
        unk_id=0, minloglevel=2,
    )  # fmt: skip
    model_file.write_bytes(model.getvalue())


class Pieces:
    """Texts to piece ids."""

    def __init__(self, model_file: Path) -> None:
        self._model = sentencepiece.SentencePieceProcessor(model_proto=model_file.read_bytes())

    def __len__(self) -> int:
        return int(self._model.get_piece_size())

    def ids(self, text: str) -> list[int]:
        """Piece ids of a written text."""
        return list(self._model.encode(text))

    def text(self, ids: Iterable[int]) -> str:
        """The written text of piece ids."""
        return str(self._model.decode(list(ids)))

    def write_vocabulary(self, path: Path) -> None:
        """GigaAM's vocabulary file: `piece id` a line, the blank last."""
        pieces = [self._model.id_to_piece(i) for i in range(len(self))] + [BLANK_PIECE]
        path.write_text("".join(f"{piece} {i}\n" for i, piece in enumerate(pieces)), encoding="utf-8")


def character_ids(spoken: str) -> list[int]:
    """Classes of the spoken text: lower case, letters and single spaces.

    >>> "".join(CHARACTERS[i] for i in character_ids("Ну, ё-моё!"))
    'ну ё моё'
    """
    text = " ".join(re.findall("[а-яё]+", spoken.lower()))
    return [CHARACTERS.index(character) for character in text]
