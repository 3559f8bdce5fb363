"""Detection of float32 samples that were sent as PCM16: what browsers' audio graphs give, as it is."""

from __future__ import annotations

from typing import Final

import numpy as np

from gigastt_lab.errors import AudioError
from gigastt_lab.types import Float32Array

_BLOCK: Final = 2_048  # bytes, judged together at the same places of the stream however it is cut
_WATCHED: Final = 64  # blocks with sound, from the first one on: 0.7 s of float32 at 48 kHz
_NEEDED: Final = 4  # blocks like floats, one after the other, that are enough

# Amplitudes that float samples have, also on the scale of PCM16; below are rounding errors of filters.
_LOW, _HIGH = np.float32(2.0**-30), np.float32(1.5 * 2**15)
_LEAST_SOUND: Final = 64  # samples of a block
_SHARE: Final = 0.9  # of those that are not 0
_UNLIKE: Final = 8_000  # mean difference between the halves, as PCM16
_QUIET, _QUIET_SHARE = 2_048, 0.9
_LEAST_VALUES: Final = 16


class FloatWatch:
    """Watch over the beginning of a stream of raw PCM16: is it float32 in truth?

    As float32, PCM16 has NaN and numbers beyond all measure: every small negative sample makes one. The other
    way round, of each float one half looks like noise at full scale and the other like values near +-16,000.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._n_heard = 0
        self._n_alike = 0

    def look(self, data: bytes) -> None:
        """Look at the next bytes.

        Raises:
            AudioError: the stream consists of float32 samples.
        """
        if self._n_heard >= _WATCHED:
            return
        data = self._rest + data
        n_whole = len(data) - len(data) % _BLOCK
        self._rest = data[n_whole:]
        for at in range(0, n_whole, _BLOCK):
            self._judge(np.frombuffer(data, "<f4", _BLOCK // 4, at))
            if self._n_alike >= _NEEDED:
                raise AudioError(
                    "float32 samples were sent, and a live stream takes PCM16: bring them to -32768 to "
                    "32767, and send an Int16Array (in Python: numpy.int16)"
                )
            if self._n_heard >= _WATCHED:
                return

    def _judge(self, floats: Float32Array) -> None:
        with np.errstate(invalid="ignore"):  # NaN, as of most PCM16
            sizes = np.abs(floats)
        if np.all(sizes < _LOW):  # silence in both
            return
        self._n_heard += 1
        self._n_alike = self._n_alike + 1 if _are_samples(floats, sizes) else 0


def _are_samples(floats: Float32Array, sizes: Float32Array) -> bool:
    """True if a block can be nothing but float samples."""
    if not np.all(sizes <= _HIGH):  # NaN is not, either
        return False
    is_sound = sizes >= _LOW
    if np.sum(is_sound) < max(_LEAST_SOUND, _SHARE * np.sum(sizes > 0)):
        return False
    negative = np.mean(floats[is_sound] < 0)
    # Samples of PCM16 resemble their neighbours; the halves of a float do not: the lower one is noise at full
    # scale, or 0. A tone of a quarter of the rate has other neighbours, but few values, or a quiet half.
    low, high = floats.view("<i2").reshape(-1, 2)[is_sound].T.astype(np.int32)
    is_quiet = (low != 0) & (np.abs(low) < _QUIET)
    return bool(
        0.02 <= negative <= 0.98
        and np.mean(np.abs(low - high)) > _UNLIKE
        and np.mean(is_quiet) < _QUIET_SHARE
        and len(np.unique(high)) >= _LEAST_VALUES
    )
