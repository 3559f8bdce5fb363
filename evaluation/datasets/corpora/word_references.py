"""True times of words, from a CTM, a TextGrid, or a folder of them, by recording."""

from __future__ import annotations

from pathlib import Path

from evaluation.datasets.corpora.ctm import read_ctm
from evaluation.datasets.corpora.segments import TimedWord
from evaluation.datasets.corpora.textgrid import words_of
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError


def read_word_references(
    path: Path, tier: str | None = None, failure: type[GigasttError] = DatasetError
) -> dict[str, list[TimedWord]]:
    """Words with their times, in order, by the name of the recording.

    Args:
        path: Path of a CTM, of a TextGrid, which is called as its recording is, or of a folder; all of them
            below it are read then.
        tier: Name of the TextGrids' tier; None: the one with words (`textgrid.words_of`).
        failure: Class of the error that is raised.

    Raises:
        GigasttError: a `failure`: there is nothing, it cannot be parsed, or a recording has several channels
            or files.
    """
    if not path.exists():
        raise failure(f"there are no word times {str(path)!r}; check the path")
    files = _files(path)
    if not files:
        raise failure(f"{str(path)!r} holds no word times; known are .ctm and .TextGrid, and folders of them")
    by_recording: dict[str, list[TimedWord]] = {}
    source: dict[str, Path] = {}
    for file in files:
        is_ctm = file.suffix.lower() == ".ctm"
        words = read_ctm(file, failure) if is_ctm else words_of(file, tier, failure)
        for name in dict.fromkeys(word.recording for word in words):
            if name in source:
                raise failure(f"{file}: words of {name!r} were in {source[name]} already; keep one file")
            source[name] = file
        for word in words:
            by_recording.setdefault(word.recording, []).append(word)
    for name, found in by_recording.items():
        channels = sorted({str(word.channel) for word in found})
        if len(channels) > 1:
            raise failure(
                f"{source[name]}: {name!r} has words on the channels {', '.join(channels)}; keep those of "
                "the one that was recognised"
            )
        found.sort(key=lambda word: (word.start_s, word.end_s))
    if not by_recording:
        raise failure(f"{str(path)!r} holds no word")
    return by_recording


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.suffix.lower() in {".ctm", ".textgrid"} else []
    return sorted(file for file in path.rglob("*") if file.suffix.lower() in {".ctm", ".textgrid"})
