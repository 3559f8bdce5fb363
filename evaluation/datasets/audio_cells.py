"""Audio in the cells of a table: paths, contents of files, samples, and what `datasets` makes of them."""

from __future__ import annotations

import io
import numbers
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from evaluation.datasets.cells import is_missing, plain
from evaluation.datasets.rows import optional
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.audio.samples import check_n_channels, check_sample_rate
from gigastt_lab.errors import AudioError

RATE_COLUMNS: Final = ("sampling_rate", "sample_rate")
_AUDIO_FORMS: Final = (
    'a path, the bytes of an audio file, an array with a column sampling_rate, or {"array", "sampling_rate"}'
)
# What `soundfile` writes of each dtype without loss; floating samples may lie beyond [-1, 1].
_SUBTYPES: Final = {"int16": "PCM_16", "int32": "PCM_32", "float32": "FLOAT"}


def audio_of_cell(cell: object, rate: str | None, where: str) -> tuple[Path | bytes | None, str | None]:
    """A path that is there, or the content of an audio file; and the name of the file. None: there is none.

    Raises:
        DatasetError: something else, or samples without a rate, or of a dtype or shape that no audio has.
    """
    if isinstance(cell, Mapping):
        return _audio_of_mapping(cell, rate, where)
    if hasattr(cell, "get_all_samples"):  # what `datasets` and torchcodec decode to
        samples = cell.get_all_samples()
        return wav_of(samples.data, str(samples.sample_rate), where), None
    if isinstance(cell, str | os.PathLike):
        name = os.fspath(cell)
        return _file(name), name or None
    if isinstance(cell, bytes | bytearray | memoryview):
        audio: bytes | None = bytes(cell) or None
    elif _is_samples(cell):
        audio = wav_of(cell, rate, where)
    elif is_missing(cell):
        audio = None
    else:
        raise DatasetError(f"{where}: {type(cell).__name__} {cell!r:.60} is no audio; give {_AUDIO_FORMS}")
    return audio, None


def _audio_of_mapping(
    cell: Mapping[str, Any], rate: str | None, where: str
) -> tuple[Path | bytes | None, str | None]:
    """Audio as the feature `Audio` of `datasets` holds it, undecoded or decoded."""
    content, path = cell.get("bytes"), cell.get("path")
    name = path if isinstance(path, str) and path else None
    if cell.get("array") is not None:
        return wav_of(
            cell["array"],
            optional({key: plain(cell.get(key)) for key in RATE_COLUMNS}, RATE_COLUMNS) or rate,
            where,
        ), name
    if not {"array", "bytes", "path"} & cell.keys():
        raise DatasetError(
            f"{where}: a dict of {', '.join(map(str, cell)) or 'nothing'} is no audio; give {_AUDIO_FORMS}"
        )
    return audio_of_cell(name if content is None else content, rate, where)[0], name


def wav_of(samples: object, rate: str | None, where: str) -> bytes:
    """A WAV file of samples, without loss.

    Args:
        samples: Floating in [-1, 1], int16, int32, or uint8 with silence at 128. Shape (n_samples,) or
            (n_channels, n_samples), as `gigastt_lab.audio.reading.from_array` takes them.
        rate: Rate in Hz, as text.
        where: The place, for messages.

    Raises:
        DatasetError: another dtype or shape, or no rate.
    """
    import soundfile

    if rate is None:
        raise DatasetError(
            f"{where}: samples without their rate; add a column sampling_rate, in Hz, or give "
            '{"array": samples, "sampling_rate": rate}'
        )
    try:
        array = _as_written(np.asarray(samples))
        hz = round(float(rate))
        check_sample_rate(hz)
        check_n_channels(len(array))
    except (AudioError, ValueError, TypeError, OverflowError) as error:
        raise DatasetError(f"{where}: the samples cannot be taken ({error})") from error
    content = io.BytesIO()
    soundfile.write(content, array.T, hz, format="WAV", subtype=_SUBTYPES[array.dtype.name])
    return content.getvalue()


def _as_written(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The samples in one of the dtypes that are written, shape (n_channels, n_samples)."""
    if array.ndim not in {1, 2}:
        raise AudioError(
            f"an array of shape {array.shape}; allowed are (n_samples,) and (n_channels, n_samples)"
        )
    rows = np.atleast_2d(array)
    if array.dtype == np.uint8:
        return (rows.astype(np.int16) - 128) * 256
    if np.issubdtype(array.dtype, np.floating):
        return rows.astype(np.float32)
    if array.dtype.name not in _SUBTYPES:
        raise AudioError(
            f"samples of dtype {array.dtype}; allowed are floating in [-1, 1], int16, int32 and uint8"
        )
    return rows


def _is_samples(cell: object) -> bool:
    """True for arrays, tensors and lists of numbers."""
    if isinstance(cell, list | tuple):
        first = cell[0] if cell else None
        return isinstance(first, numbers.Real) or (isinstance(first, list | tuple) and _is_samples(first))
    return hasattr(cell, "__array__") and not isinstance(cell, np.generic)


def _file(name: str) -> Path | None:
    path = Path(name).expanduser()
    try:
        return path if name and path.is_file() else None
    except (OSError, ValueError):  # too long a name, or a null byte: no file
        return None
