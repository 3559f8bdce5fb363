"""Choice of the audio track: the one asked for, the file's default, the first that can be decoded."""

from __future__ import annotations

from typing import Any

from gigastt_lab.audio.decoders.allowed import allowed_codecs
from gigastt_lab.audio.report import Report
from gigastt_lab.errors import AudioError


def chosen_track(source: Any, codecs: frozenset[str], track: int | None, report: Report) -> Any:
    """The stream to decode.

    Args:
        source: A container that FFmpeg has opened.
        codecs: Names of the decoders that are allowed.
        track: Number among the audio tracks, from 1; None: the file's default.
        report: Report that is told of tracks that were not read.

    Raises:
        AudioError: there is no audio track, not that one, or none in a codec that is allowed.
    """
    tracks = list(source.streams.audio)
    if not tracks:
        raise AudioError("a file without an audio track; send a recording with sound")
    if track is not None:
        if track > len(tracks):
            raise AudioError(f"track {track} was asked for; {_listed(tracks)}")
        return _allowed(tracks[track - 1], codecs)
    marked = [each for each in tracks if _is_default(each)]
    first = (marked or tracks)[0]
    taken = next((each for each in [first, *tracks] if _codec(each) in codecs), None)
    if taken is None:
        return _allowed(first, codecs)
    if len(tracks) > 1:
        number = tracks.index(taken) + 1
        report.warn("track", f"{_listed(tracks)}; track {number} was read: `track` names another")
    return taken


def _allowed(stream: Any, codecs: frozenset[str]) -> Any:
    if _codec(stream) not in codecs:
        raise AudioError(f"audio in the codec {_codec(stream)!r}; allowed are {allowed_codecs()}: convert it")
    return stream


def _codec(stream: Any) -> str:
    return str(stream.codec_context.name) if stream.codec_context else "unknown"


def _is_default(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.default)


def _listed(tracks: list[Any]) -> str:
    """The tracks in words: number, codec, language, title, and the one that is the default."""
    told = []
    for number, each in enumerate(tracks, start=1):
        names = [str(each.metadata.get(key, ""))[:40] for key in ("language", "title")]
        words = [_codec(each), *filter(None, names), *(["default"] if _is_default(each) else [])]
        told.append(f"{number} ({', '.join(words)})")
    noun = "there is one audio track" if len(tracks) == 1 else f"there are {len(tracks)} audio tracks"
    return f"{noun}: {', '.join(told)}"
