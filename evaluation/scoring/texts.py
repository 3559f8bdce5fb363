"""Cache of normalised texts and their alignments, each worked out once however many tables ask for them.

Systems share their references, profiles share most of their rules, and most rules leave most texts as they
are; so results are kept by text, the latest 65,536 of each kind (about 100 MB if all are in use).
"""

from __future__ import annotations

from functools import lru_cache

from evaluation.normalize import (
    NORMALIZER_VERSION,
    Profile,
    normalize,
    normalize_each,
    profile_rules,
    rules_of,
)
from evaluation.scoring import metrics
from evaluation.scoring.metrics import Chunk, Counts

_KEPT = 2**16
_KEPT_TEXTS = 2**19  # a report asks for every text a dozen times; about 0.7 kB each


@lru_cache(_KEPT_TEXTS)
def after_each_rule(text: str, version: str = NORMALIZER_VERSION) -> tuple[str, ...]:
    """The raw text's words, then the text after each rule of a version, all earlier ones applied.

    Raises:
        ValueError: there is no such version of the normaliser.

    >>> after_each_rule("Ещё  раз.", "1")[:4]
    ('Ещё раз.', 'ещё раз.', 'ещё раз.', 'еще раз.')
    """
    texts = [" ".join(text.split())]
    for changed in normalize_each(text, version):
        # One object for equal texts: most rules change nothing, and ten thousand texts have eleven each.
        texts.append(texts[-1] if changed == texts[-1] else changed)
    return tuple(texts)


@lru_cache(_KEPT)
def normalized(text: str, profile: Profile, version: str = NORMALIZER_VERSION) -> str:
    """`evaluation.normalize.normalize`, cached.

    Raises:
        ValueError: there is no such profile, or no such version of the normaliser.
    """
    rules = profile_rules(profile, version)
    if rules == rules_of(version)[: len(rules)]:
        return after_each_rule(text, version)[len(rules)]
    return normalize(text, profile, version)


@lru_cache(_KEPT)
def word_counts(reference: str, hypothesis: str, compounds: bool = False) -> Counts:
    """`evaluation.scoring.metrics.word_counts`, cached."""
    return metrics.word_counts(reference, hypothesis, compounds=compounds)


@lru_cache(_KEPT)
def char_counts(reference: str, hypothesis: str) -> Counts:
    """`evaluation.scoring.metrics.char_counts`, cached."""
    return metrics.char_counts(reference, hypothesis)


@lru_cache(_KEPT)
def alignment(reference: str, hypothesis: str, compounds: bool = False) -> tuple[Chunk, ...]:
    """`evaluation.scoring.metrics.alignment`, cached.

    >>> [(chunk.kind, chunk.hypothesis) for chunk in alignment("да", "да да")]
    [('equal', ('да',)), ('insert', ('да',))]
    """
    return tuple(metrics.alignment(reference, hypothesis, compounds=compounds))
