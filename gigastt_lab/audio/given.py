"""Audio as people hand it over, made one of two things: a file to read, or samples with their rate.

Files: paths, bytes, open files; what can be read once only is kept first (`spooled`). Samples: arrays of any
library, lists of numbers, pairs of rate and samples (SciPy, Gradio, librosa, torchaudio), the dicts and
decoders of Hugging Face's `datasets`, segments of pydub. All else is refused with what to give instead.
"""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.opening import Source
from gigastt_lab.audio.samples import MAX_CHANNELS
from gigastt_lab.audio.spooled import bytes_of, spooled
from gigastt_lab.errors import AudioError


class Readable(Protocol):
    """Anything that bytes can be read from: an HTTP response, a pipe."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""


class Arraylike(Protocol):
    """Samples of another library: a tensor, a column of a table."""

    def __array__(self) -> npt.NDArray[Any]:
        """The samples as NumPy has them."""


# A path, the content of an audio file, an open file, or samples; those without a rate need it stated.
Audio = (
    Source | Readable | npt.NDArray[Any] | Arraylike | Sequence[float] | tuple[Any, Any] | Mapping[str, Any]
)

_ALLOWED = (
    "a path, the bytes of an audio file, a file opened as binary, or samples with their rate "
    "(a NumPy array and sample_rate=..., or {'array': ..., 'sampling_rate': ...})"
)
_RATES = ("sampling_rate", "sample_rate")
_ARRAYS = ("array", "raw", "waveform")
_LONGEST_PATH = 4096


@dataclass(frozen=True)
class Given:
    """Audio that was handed over.

    Attributes:
        source: A path, the content of a file, an open file; or samples, shape (n_samples,) or (n_channels,
            n_samples).
        sample_rate: Rate of samples, in Hz; None of a file, or where it was not stated.
        is_ours: True of a file that was opened here, which `close` closes.
    """

    source: Source | npt.NDArray[Any]
    sample_rate: int | None
    is_ours: bool = False

    def close(self) -> None:
        """Close what was opened here."""
        if self.is_ours:
            self.source.close()  # type: ignore[union-attr]  # ours is a file


def given(audio: Audio, sample_rate: int | None = None) -> Given:
    """Audio as it can be read, and the rate of samples that come with theirs.

    Args:
        audio: What was handed over.
        sample_rate: Rate that was stated beside it, in Hz.

    Raises:
        AudioError: it is no audio, or several recordings; or two rates that differ.
    """
    sample_rate = _same_rate(sample_rate, None)
    if isinstance(audio, bytes | bytearray) or (isinstance(audio, memoryview) and audio.itemsize == 1):
        return Given(audio, sample_rate)
    if isinstance(audio, np.ndarray | memoryview):
        return _of_array(audio, sample_rate)
    if isinstance(audio, str | os.PathLike):
        return _of_path(audio, sample_rate)
    if isinstance(audio, Mapping):
        return _of_mapping(audio, sample_rate)
    if isinstance(audio, list | tuple):
        return _of_sequence(audio, sample_rate)
    return _of_object(audio, sample_rate)


def _of_path(path: str | os.PathLike[str], sample_rate: int | None) -> Given:
    """A path as it is, or the content of a named pipe: that of a process substitution, of `/dev/stdin`."""
    name = os.fspath(path)
    if isinstance(name, str) and (len(name) > _LONGEST_PATH or "\0" in name):
        raise AudioError(f"a text of {len(name):,} characters is no path; give {_ALLOWED}")
    try:
        mode = os.stat(name).st_mode
    except (OSError, ValueError):
        mode = 0  # `opening` says why
    if not mode and re.match(r"[a-z][a-z0-9+.-]+://", str(name), re.IGNORECASE):
        raise AudioError(
            f"{name!r} is an address, which is not fetched; give urllib.request.urlopen(address), or the "
            "path of a file"
        )
    if stat.S_ISDIR(mode):
        raise AudioError(f"{name!r} is a folder, not a regular file; give its files to transcribe_batch")
    if not stat.S_ISFIFO(mode):
        return Given(path, sample_rate)
    with open(name, "rb", buffering=0) as pipe:
        return Given(spooled(pipe, repr(name)), sample_rate, is_ours=True)


def _of_mapping(row: Mapping[str, Any], sample_rate: int | None) -> Given:
    """Audio as `datasets`, transformers and torchaudio's users keep it in a dict."""
    samples = next((row[key] for key in _ARRAYS if row.get(key) is not None), None)
    if samples is not None:
        stated = next((row[key] for key in _RATES if row.get(key) is not None), None)
        return _of_array(samples, _same_rate(stated, sample_rate))
    for key in ("bytes", "path", "audio"):
        inner = row.get(key)
        if inner is not None and not (isinstance(inner, Mapping) and "audio" in inner):
            return given(inner, sample_rate)
    keys = ", ".join(map(repr, row)) or "none"
    raise AudioError(
        f"a dict with the keys {keys}; give one with 'array' and 'sampling_rate', with 'bytes' or with 'path'"
    )


def _of_sequence(audio: Sequence[Any], sample_rate: int | None) -> Given:
    """Numbers, or rate and samples in either order."""
    if isinstance(audio, tuple) and len(audio) == 2:
        rates = [each for each in audio if isinstance(each, Real) and not isinstance(each, bool)]
        others = [each for each in audio if not isinstance(each, Real)]
        if len(rates) == len(others) == 1 and not isinstance(others[0], str | bytes):
            return _of_array(others[0], _same_rate(rates[0], sample_rate))
    if not audio:
        raise AudioError(f"an empty {type(audio).__name__}; give {_ALLOWED}")
    if not isinstance(audio[0], Real | list | tuple):
        raise AudioError(
            f"a {type(audio).__name__} of {len(audio)} ({type(audio[0]).__name__} first); transcribe takes "
            "one recording: give several to transcribe_batch, and channels as one array with a row a channel"
        )
    return _of_array(audio, sample_rate)


def _of_object(audio: Any, sample_rate: int | None) -> Given:
    if hasattr(audio, "read"):
        return _of_file(audio, sample_rate)
    if hasattr(audio, "get_all_samples"):  # of torchcodec, as `datasets` gives it
        decoded = audio.get_all_samples()
        return _of_array(decoded.data, _same_rate(decoded.sample_rate, sample_rate))
    if all(hasattr(audio, name) for name in ("get_array_of_samples", "frame_rate", "channels")):  # of pydub
        interleaved = _array_of(audio.get_array_of_samples()).reshape(-1, audio.channels)
        return Given(interleaved.T, _same_rate(audio.frame_rate, sample_rate))
    if isinstance(audio, socket.socket):
        with audio.makefile("rb") as stream:
            return Given(spooled(stream, "a socket"), sample_rate, is_ours=True)
    # A path within an archive, a response of requests.
    content = audio.read_bytes() if hasattr(audio, "read_bytes") else getattr(audio, "content", None)
    if isinstance(content, bytes):
        return Given(content, sample_rate)
    if hasattr(audio, "__array__") or _has_buffer(audio):
        return _of_array(audio, sample_rate)
    if isinstance(audio, Iterable):
        raise AudioError(
            f"{_named(audio)} comes in pieces, which may be anything: give those of one file as "
            'b"".join(pieces), several recordings to transcribe_batch, and live audio to Engine.stream'
        )
    raise AudioError(f"{_named(audio)} is no audio; give {_ALLOWED}")


def _of_file(file: Any, sample_rate: int | None) -> Given:
    name = f"the open file {file.name!r}" if isinstance(getattr(file, "name", None), str) else _named(file)
    if getattr(file, "closed", False) is True:
        raise AudioError(f"{name} is closed; give it while it is open, or its path")
    if hasattr(file, "encoding") and hasattr(file, "newlines"):
        raise AudioError(f'{name} is open as text; open it as binary: open(path, "rb"), or sys.stdin.buffer')
    readable = getattr(file, "readable", None)
    if callable(readable) and not readable():
        raise AudioError(f'{name} is open for writing; open it for reading: open(path, "rb")')
    if _can_seek(file):
        bytes_of(file.read(0), name)  # what opens sound files itself gives samples
        return Given(file, sample_rate)
    return Given(spooled(file, name), sample_rate, is_ours=True)


def _can_seek(file: Any) -> bool:
    try:
        if hasattr(file, "seekable"):
            return file.seekable() is True
        file.seek(file.tell())
    except (AttributeError, TypeError, ValueError, OSError):
        return False
    return True


def _of_array(samples: Any, sample_rate: int | None) -> Given:
    return Given(_oriented(_array_of(samples)), sample_rate)


def _array_of(samples: Any) -> npt.NDArray[Any]:
    try:
        array = np.asarray(samples)
    except (
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:  # rows of several lengths, a tensor of an accelerator
        raise AudioError(
            f"{_named(samples)} cannot be made an array of samples ({str(error).splitlines()[0]}); "
            "give a NumPy array; of a tensor: tensor.detach().cpu().numpy()"
        ) from error
    if isinstance(samples, list | tuple) and array.dtype.kind in "iu":
        raise AudioError(
            "a list of whole numbers, which may be samples of 16 bit or of 32; say which: "
            "np.array(samples, dtype=np.int16)"
        )
    return _numeric(array)


def _numeric(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.kind in "OUSMmV":
        raise AudioError(
            f"an array of dtype {array.dtype} is no samples; give several recordings, or paths, to "
            "transcribe_batch, and samples as floating numbers in [-1, 1], int16, int32 or uint8"
        )
    return array


def _oriented(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows as channels: more rows than there can be channels are samples, as `soundfile.read` gives them."""
    if array.ndim == 2 and array.shape[0] > MAX_CHANNELS >= array.shape[1] > 0:
        return array.T
    return array


def _same_rate(rate: Any, stated: int | None) -> int | None:
    """The rate that comes with samples, in Hz; it may not differ from one that is stated beside them."""
    if rate is None:
        return stated
    if not isinstance(rate, int | float | np.integer | np.floating) or not float(rate).is_integer():
        raise AudioError(f"a sample rate of {rate!r}; give a whole number of Hz")
    if stated is not None and stated != rate:
        raise AudioError(f"sample_rate={stated} was given with samples that say {rate}; leave it out")
    return int(rate)


def _has_buffer(audio: Any) -> bool:
    with suppress(TypeError):
        memoryview(audio).release()
        return True
    return False


def _named(audio: Any) -> str:
    kind = type(audio)
    if audio is None:
        return "None"
    shown = f" {audio!r}" if isinstance(audio, bool | Real) else ""
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"an object of type {module}{kind.__qualname__}{shown}"
