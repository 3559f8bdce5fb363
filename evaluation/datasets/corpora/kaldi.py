"""Kaldi's data folders: `wav.scp`, `text`, and perhaps `segments`, `utt2spk`, `utt2dur`, `spk2gender` ...

Without `segments`, each recording is an utterance. Whatever else is called ``utt2WHAT`` or ``spk2WHAT``
becomes metadata `WHAT`. Paths are relative to the folder, or else to the working directory, as Kaldi has it.
A recording that is a command (``sph2pipe ... |``) or an archive's part (``wav.ark:123``) is refused: commands
of a data set are not run.

Source: https://kaldi-asr.org/doc/data_prep.html.
"""

from __future__ import annotations

from pathlib import Path

from evaluation.datasets.corpora.kaldi_tables import (
    About,
    Stretch,
    is_read,
    recordings_of,
    stretches_of,
    table_of,
)
from evaluation.datasets.corpora.recordings import at_path
from evaluation.datasets.corpora.segments import Segment, opened
from evaluation.datasets.opening import Opened, Wanted
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError


def is_kaldi(path: Path) -> bool:
    """True of a folder with a `wav.scp`, or of folders with one each: `data/train`, `data/test`."""
    return path.is_dir() and ((path / "wav.scp").is_file() or bool(kaldi_splits(path)))


def kaldi_splits(folder: Path) -> list[str]:
    """Names of the data folders in a folder that is none itself."""
    if (folder / "wav.scp").is_file():
        return []
    return sorted(each.parent.name for each in folder.glob("*/wav.scp"))


def kaldi_folder(path: Path, split: str | None) -> tuple[Path, str | None]:
    """The data folder at a path, and its split: of several data folders the one of that name, or `test`.

    Raises:
        DatasetError: none has that name.
    """
    splits = kaldi_splits(path)
    if not splits:
        return path, None
    wanted = split or ("test" if "test" in splits or len(splits) > 1 else splits[0])
    if wanted not in splits:
        raise DatasetError(f"{str(path)!r} has no data folder {wanted!r}; there are: {', '.join(splits)}")
    return path / wanted, wanted


def open_kaldi(path: Path, wanted: Wanted) -> Opened:
    """The data folder as a dataset, or one of several by the split.

    Raises:
        DatasetError: as `read_kaldi` does, or as `corpora.segments.opened`.
    """
    folder, split = kaldi_folder(path, wanted.split)
    segments = read_kaldi(folder)
    files = [each for each in sorted(folder.iterdir()) if each.is_file() and is_read(each.name)]
    folders = (folder, Path())

    def find(segment: Segment) -> Path | None:
        return None if segment.audio is None else at_path(segment.audio, folders)

    return opened(folder, files, segments, find, split=split)


def read_kaldi(
    folder: Path, failure: type[GigasttError] = DatasetError, *, need_audio: bool = True
) -> list[Segment]:
    """Segments of a data folder, in the order of `segments` or `wav.scp`, then those in `text` alone.

    One without a text has None there, and one without a recording no audio: both are to be left out.

    Args:
        folder: Path of the folder.
        failure: Class of the error that is raised.
        need_audio: False where only the texts are wanted: a recording that is no file has no audio then.

    Raises:
        GigasttError: a `failure`: a file that is not there, a line that cannot be parsed, an id that stands
            twice, or a recording that is a command.
    """
    recordings = recordings_of(folder, failure, need_audio=need_audio)
    texts = read_texts(folder / "text", failure)
    about = About(folder, failure)
    stretches = stretches_of(folder / "segments", failure)
    if stretches is None:
        stretches = {key: Stretch(key, where=where) for key, (where, _) in recordings.items()}
    found = []
    for key in dict.fromkeys([*stretches, *texts]):
        where, text = texts.get(key, ("", None))
        stretch = stretches.get(key) or Stretch(key, where=where)
        found.append(
            Segment(
                key=key,
                recording=stretch.recording,
                text=text,
                start_s=stretch.start_s,
                end_s=stretch.end_s,
                channel=stretch.channel,
                speaker=about.speaker(key),
                duration_s=about.duration_s(key) if stretch.start_s is None else None,
                audio=recordings.get(stretch.recording, ("", None))[1],
                metadata=about.metadata(key),
                where=stretch.where,
            )
        )
    return found


def read_texts(path: Path, failure: type[GigasttError] = DatasetError) -> dict[str, tuple[str, str]]:
    """Texts of utterances, ``id text`` a line: the place and the text of each, empty where the line ends.

    Raises:
        GigasttError: a `failure`: it cannot be read, or an id stands twice.
    """
    return table_of(path, failure)
