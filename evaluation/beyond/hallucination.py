"""Hallucination: words where nobody speaks. Utterances whose reference has no word once normalised.

Such a reference is written as `…`, or is a noise tag that the dataset drops; the set `nonspeech` is made of
nothing else. Every word there is an insertion: the WER counts them, but has no words to hold them against.
Here they are held against minutes of audio.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from evaluation.beyond.groups import groups_of
from evaluation.beyond.pooled import UNKNOWN, rate, share
from evaluation.scoring.scores import Score

ALL: Final = "all"
_MINUTE_MS: Final = 60_000


def hallucination(one: Score, by: str | None = None) -> pd.DataFrame:
    """Words per minute of audio without speech, with intervals.

    Args:
        one: Score of the system.
        by: Column whose groups get a row each before `ALL`: `speaker`, `session` or one of the metadata.

    Returns:
        Table indexed by group: `n_clips` without speech, `n_failed` of them (in no rate), `minutes` of audio
        (of clips that state their seconds), `n_words`; `share` of the clips with any word and
        `words_per_minute`, both with `_low` and `_high`. Empty where every reference has a word.

    Raises:
        ScoreError: there is no such column.
    """
    table = one.utterances
    silent = (table["n_words"] == 0).to_numpy()
    if not silent.any():
        return pd.DataFrame()
    parts = {}
    if by is not None:
        names = groups_of(one, by)
        parts = {name: silent & (names == name) for name in dict.fromkeys(names[silent])}
    rows = {name: _row(one, chosen) for name, chosen in (parts | {ALL: silent}).items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(by or "clips")


def _row(one: Score, chosen: np.ndarray) -> dict[str, float]:
    table = one.utterances
    heard = chosen & ~table["failed"].to_numpy()
    n_words = np.where(heard, table["insertions"], 0)
    audio_s = table["audio_s"].to_numpy(float)
    timed = heard & np.isfinite(audio_s)
    audio_ms = np.where(timed, np.rint(np.nan_to_num(audio_s) * 1000), 0).astype(np.int64)
    row: dict[str, float] = {
        "n_clips": int(chosen.sum()),
        "n_failed": int(chosen.sum() - heard.sum()),
        "minutes": float(audio_ms.sum() / _MINUTE_MS),
        "n_words": int(n_words.sum()),
    }
    row |= share((n_words > 0).astype(np.int64), heard.astype(np.int64), one).cells("share")
    by_time = UNKNOWN
    if audio_ms.any():
        by_time = rate(np.where(timed, n_words, 0), audio_ms, one, per=_MINUTE_MS)
    return row | by_time.cells("words_per_minute")
