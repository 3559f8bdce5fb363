"""Greedy RNN-T search written as plainly as can be: one joiner call per frame and symbol."""

from __future__ import annotations

import numpy as np

from gigastt_lab.recognition.search import Joiner, Predictor


def frame_by_frame(
    predictor: Predictor, joiner: Joiner, encoded: np.ndarray, blank_id: int, max_symbols: int
) -> list[tuple[int, int, float]]:
    """The textbook search of one utterance: (token, frame, probability), one score at a time."""
    emitted = []
    predicted, state = predictor(np.array([blank_id]), np.zeros((1, predictor.state_size), np.float32))
    for frame in range(len(encoded)):
        projected = joiner.project(encoded[None, frame : frame + 1])
        for _ in range(max_symbols):
            scores = joiner(projected, predicted)[0, 0].astype(np.float64)
            token = int(scores.argmax())
            if token == blank_id:
                break
            emitted.append((token, frame, float(np.exp(scores[token]) / np.exp(scores).sum())))
            predicted, state = predictor(np.array([token]), state)
    return emitted
