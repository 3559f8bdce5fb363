"""Drawing of rows, and fingerprints by which duplicates are told: the same on every machine, for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

from evaluation.datasets.pieces import Piece


def drawn(n_rows: int, n_drawn: int, seed: int) -> frozenset[int]:
    """The numbers of `n_drawn` rows of `n_rows`, or of all if there are no more.

    The rows with the lowest hashes of seed and number: the same in every version of every library, and a
    smaller sample is part of a larger one, so that work done on it counts.
    """

    def rank(number: int) -> bytes:
        return hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=8).digest()

    return frozenset(sorted(range(n_rows), key=rank)[:n_drawn])


def fingerprint(own_id: str, audio: Path | Piece | bytes) -> bytes:
    """Digest of audio; of audio that cannot be read, one like no other."""
    try:
        told = _told(audio)
    except OSError:  # unreadable: like no other, and the reader will say so
        told = own_id.encode()
    return hashlib.blake2b(told, digest_size=16).digest()


def _told(audio: Path | Piece | bytes) -> bytes:
    """Content of audio; of a piece, its place, as its recording may last hours."""
    if isinstance(audio, Piece):
        return f"{audio.path} {audio.start_s} {audio.end_s}".encode()
    return audio if isinstance(audio, bytes) else audio.read_bytes()
