"""Partial results behind a cut: punctuation of the words before it is none of the new utterance."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.recognition.features import log_mel
from gigastt_lab.recognition.search import Tokens
from gigastt_lab.streaming.feature_buffer import FeatureBuffer
from gigastt_lab.streaming.options import StreamOptions
from gigastt_lab.streaming.partials import PartialSearch
from tests.support.tones import TOKENIZER, WORDS, ToneRecognizer, speak

FULL_STOP = len(WORDS)


class _Stopping:
    """A search that begins with a full stop, as models do that begin in a gap between words."""

    def __init__(self, search):
        self._search = search
        self.start = search.start

    def __call__(self, encoded, lengths, states):
        (tokens,), after = self._search(encoded, lengths, states)
        if states[0].n_frames == 0 and lengths[0]:
            stop = Tokens(np.array([FULL_STOP]), np.array([0]), np.ones(1, np.float32))
            tokens = Tokens.concatenate([stop, tokens])
        return [tokens], after


@pytest.mark.parametrize(("goes_on", "text"), [(True, "раз два"), (False, ". раз два")])
def test_punctuation_before_the_first_word(goes_on, text):
    recognizer = ToneRecognizer()
    recognizer.search = _Stopping(recognizer.search)
    search = PartialSearch(recognizer, StreamOptions(), TOKENIZER.is_closing)
    features = FeatureBuffer(64)
    features.append(log_mel(speak([(0.5, 0), (1.5, 1)], 3.0)))
    search.begin(0, goes_on=goes_on)
    for position in (6, 30, 60):
        search.advance(features, position, 0)
        ids = search.tokens.ids
        assert not goes_on or not len(ids) or ids[0] != FULL_STOP
    assert TOKENIZER.text(search.tokens.ids) == text


def test_pieces_that_only_close():
    assert [TOKENIZER.pieces[i] for i in np.flatnonzero(TOKENIZER.is_closing)] == ["."]
