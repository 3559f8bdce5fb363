"""Pieces of recordings, from the room that cuts them."""

from gigastt_lab.audio.pieces import Piece, cut

__all__ = ["Piece", "cut"]
