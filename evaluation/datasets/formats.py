"""Formats of local datasets, in the order in which a path is held against them: one line a format.

A format says of a path that it is its own, by its name and by what lies there, and reads it. Formats with a
sign of their own come first; a folder of audio is what no other one knows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evaluation.datasets import audio_folders, local_parquet, manifests
from evaluation.datasets.corpora import ctm, kaldi, lhotse, lhotse_files, stm, trn
from evaluation.datasets.opening import Format, Opened, Wanted
from evaluation.datasets.utterances import DatasetError

__all__ = ["FORMATS", "Format", "Opened", "Wanted", "open_local"]


def open_local(path: Path, wanted: Wanted) -> Opened:
    """The dataset at a path, by the first format that recognises it.

    Raises:
        DatasetError: none does, or it is broken.
    """
    for each in FORMATS:
        if each.recognises(path):
            return each.read(path, wanted)
    known = ", ".join(each.name for each in FORMATS)
    raise DatasetError(f"{str(path)!r} is no dataset; known are {known}")


FORMATS: Final[tuple[Format, ...]] = (
    Format("parquet files and folders of them", local_parquet.recognises, local_parquet.read),
    Format("Kaldi's data folders", kaldi.is_kaldi, kaldi.open_kaldi),
    Format("lhotse's cuts and supervisions", lhotse_files.is_lhotse, lhotse.open_lhotse),
    Format("segments with times (.stm)", stm.recognises, stm.open_stm),
    Format("texts with ids (.trn)", trn.recognises, trn.open_trn),
    Format("words with times (.ctm)", ctm.recognises, ctm.open_ctm),
    Format("folders with a table (metadata.csv, Common Voice)", audio_folders.recognises, audio_folders.read),
    Format("manifests (.jsonl, .json, .csv, .tsv)", manifests.recognises, manifests.read),
    Format("folders of audio with a .txt beside each", Path.is_dir, manifests.read_texts_beside),
)
