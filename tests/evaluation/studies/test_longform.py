"""Utterances joined into recordings, measured against themselves."""

from __future__ import annotations

import re

import numpy as np
import pytest

from evaluation.studies.longform import _Utterance, joined, main

pytestmark = pytest.mark.slow

RATE = 16_000


def test_recordings_hold_whole_utterances_in_turn():
    utterances = [
        _Utterance(np.full(n * RATE, n, np.float32), f"ref{n}", f"hyp{n}" if n > 2 else "") for n in (2, 3, 4)
    ]
    short, long = joined(utterances, [(0.1, 1), (0.2, 1)], pause_s=0.5)
    assert (short.reference, short.alone) == ("ref2 ref3", "hyp3")
    assert len(short.waveform) == (2 + 3 + 2 * 0.5) * RATE
    assert long.reference == "ref4 ref2 ref3 ref4"
    assert long.waveform[0] == 4
    assert np.abs(short.waveform[2 * RATE : int(2.5 * RATE)]).max() < 1e-4


def test_the_tables_are_printed(capsys):
    assert main(["--model", "demo", "--dataset", "demo", "--recordings", "0.6x2"]) == 0
    out = capsys.readouterr().out
    assert re.search(
        r"pooled:   2 recordings, +\d+ words, WER [\d.]+ %, one by one [\d.]+ %, difference", out
    )
    assert re.search(r"work per second of audio: [\d.]+ ms; passes of 25 s: [\d.]+ ms", out)
