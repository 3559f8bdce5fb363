"""References of any known form, as segments, for hypotheses that come from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evaluation.datasets.corpora.ctm import read_ctm, whole_recordings
from evaluation.datasets.corpora.kaldi import kaldi_folder, read_kaldi, read_texts
from evaluation.datasets.corpora.lhotse import read_lhotse
from evaluation.datasets.corpora.lhotse_files import is_lhotse, lhotse_file
from evaluation.datasets.corpora.manifest_rows import segments_of_rows
from evaluation.datasets.corpora.segments import Segment, check_keys
from evaluation.datasets.corpora.stm import read_stm, stm_files
from evaluation.datasets.corpora.trn import read_trn
from evaluation.datasets.rows import SUFFIXES
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError


def read_references(
    path: Path, failure: type[GigasttError] = DatasetError, *, text_column: str | None = None
) -> list[Segment]:
    """Segments with their references, with the keys that a dataset opened from the same path has.

    Args:
        path: Path of an STM, TRN or CTM file, a manifest (of lhotse too), a Kaldi data folder or its `text`,
            or of any other text file with ``id text`` a line.
        failure: Class of the error that is raised.
        text_column: Column of a manifest with the reference; None: the usual names.

    Raises:
        GigasttError: a `failure`: there is nothing, or it cannot be parsed; two segments have one key.
    """
    if not path.exists():
        raise failure(f"there are no references {str(path)!r}; check the path")
    if path.is_dir():
        segments = _of_folder(path, failure)
    elif path.suffix.lower() in SUFFIXES and not is_lhotse(path):
        segments = segments_of_rows(path, failure, text_column)
    else:
        segments = _of_file(path, failure)
    if not segments:
        raise failure(f"{path} holds no utterance")
    check_keys(segments, failure)
    return segments


def name_of_references(path: Path) -> str:
    """Name of the dataset that references are of, as `open_dataset` calls it.

    >>> name_of_references(Path("data/test/text")), name_of_references(Path("ref/talks.stm"))
    ('test', 'talks')
    """
    path = path.resolve()
    stem = Path(path.name.removesuffix(".gz")).stem
    return path.parent.name if stem == "manifest" or path.name == "text" else stem


def _of_folder(path: Path, failure: type[GigasttError]) -> list[Segment]:
    if (path / "text").is_file():
        return read_kaldi(path, failure, need_audio=False)
    if stm_files(path):
        return [segment for file in stm_files(path) for segment in read_stm(file, failure)]
    if is_lhotse(path):
        return read_lhotse(lhotse_file(path)[0], failure)
    folder, _ = kaldi_folder(path, None)
    if (folder / "text").is_file():
        return read_kaldi(folder, failure, need_audio=False)
    raise failure(
        f"{str(path)!r} holds no references: neither `text` of Kaldi, nor *.stm, nor lhotse's cuts; name "
        "a file"
    )


def _of_file(path: Path, failure: type[GigasttError]) -> list[Segment]:
    suffix = path.suffix.lower()
    if is_lhotse(path):
        return read_lhotse(path, failure)
    if path.name == "text":
        return read_kaldi(path.parent, failure, need_audio=False)
    return _NIST.get(suffix, _of_lines)(path, failure)


def _of_ctm(path: Path, failure: type[GigasttError]) -> list[Segment]:
    return whole_recordings(read_ctm(path, failure), str(path))


def _of_lines(path: Path, failure: type[GigasttError]) -> list[Segment]:
    return [
        Segment(key=key, recording=key, text=text, where=where)
        for key, (where, text) in read_texts(path, failure).items()
    ]


_NIST: Final = {".stm": read_stm, ".trn": read_trn, ".ctm": _of_ctm}
