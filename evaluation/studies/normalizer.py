"""Effects of the normaliser on real pairs: `python -m evaluation.studies.normalizer hypotheses.jsonl`.

Rates of each system under every profile and version, with and without compounds; what each rule changes; what
is made equal too much. The tables of ``docs/normalizer.md`` come from here. A line of the file is an object
with `reference`, `hypothesis` and, of several systems, `engine`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evaluation.normalize import PROFILES, VERSIONS, has_digit_or_latin, normalize, rules_of
from evaluation.normalize.number_words import NUMBER_WORDS
from evaluation.records.files import RecordError
from evaluation.scoring.metrics import pooled
from evaluation.scoring.texts import after_each_rule, normalized, word_counts
from evaluation.show.display import decimal, render_markdown
from gigastt_lab.errors import GigasttError


@dataclass(frozen=True)
class Pair:
    """Reference and hypothesis of one utterance, as they came, and the system's name."""

    reference: str
    hypothesis: str
    system: str


def read_pairs(path: Path) -> list[Pair]:
    """Pairs of a JSON Lines file whose reference is not blank, in its order.

    Raises:
        RecordError: no such file, a line that is no object with both texts, or nothing to score.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path} cannot be read: {error}; give a JSON Lines file of pairs") from error
    pairs = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            pair = Pair(str(row["reference"]), str(row["hypothesis"]), str(row.get("engine", path.stem)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RecordError(
                f"{path}, line {number} is no object with `reference` and `hypothesis`: {line[:80]!r}"
            ) from error
        if pair.reference.strip():
            pairs.append(pair)
    if not pairs:
        raise RecordError(f"{path} has no pair with a reference; nothing can be scored")
    return pairs


def rates(pairs: Sequence[Pair]) -> pd.DataFrame:
    """WER in per cent of each system, on all its pairs and on those with a digit or a Latin letter."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for (system, chosen), part in _parts(pairs).items():
        row = rows.setdefault((system, f"{chosen} ({len(part)})"), {})
        for profile, version, compounds in itertools.product(PROFILES, VERSIONS, (False, True)):
            if profile == "verbatim" and version != VERSIONS[-1]:
                continue  # the same rules in every version
            counts = pooled(
                word_counts(
                    normalized(pair.reference, profile, version),
                    normalized(pair.hypothesis, profile, version),
                    compounds,
                )
                for pair in part
            )
            name = profile if profile == "verbatim" else f"{profile} {version}"
            row[f"{name}, joined" if compounds else name] = decimal(100 * counts.rate)
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.rename_axis(["system", "pairs"]).reset_index().set_index("system")


def _parts(pairs: Sequence[Pair]) -> dict[tuple[str, str], list[Pair]]:
    parts: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        parts.setdefault((pair.system, "all"), []).append(pair)
        if has_digit_or_latin(pair.reference + pair.hypothesis):
            parts.setdefault((pair.system, "digits or Latin"), []).append(pair)
    return parts


def by_rule(pairs: Sequence[Pair], version: str) -> pd.DataFrame:
    """Errors of each system after each rule of a version, and the number of texts that the rule changed."""
    names = ["as written", *(rule.name for rule in rules_of(version))]
    rows: dict[str, dict[str, int]] = {name: {} for name in names}
    for system in dict.fromkeys(pair.system for pair in pairs):
        part = [
            (after_each_rule(pair.reference, version), after_each_rule(pair.hypothesis, version))
            for pair in pairs
            if pair.system == system
        ]
        for step, name in enumerate(names):
            rows[name][system] = sum(word_counts(ref[step], hyp[step]).errors for ref, hyp in part)
            changed = sum(step > 0 and text[step] != text[step - 1] for texts in part for text in texts)
            rows[name][f"{system}, texts changed"] = changed
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(f"rule, version {version}")


def over_merges(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Words made equal though different, and the errors that one lost number word costs, by version."""
    references = list(dict.fromkeys(pair.reference for pair in pairs))
    rows = {}
    for version in VERSIONS:
        costs = [cost for text in references for cost in _costs(text, version)]
        rows[version] = {
            "words": str(len(_vocabulary(pairs))),
            "pairs of words made equal": str(len(merged_words(pairs, version))),
            "references that run together": str(sum(_runs_together(text, version) for text in references)),
            "number words left out": str(len(costs)),
            "errors for each": decimal(sum(costs) / len(costs)) if costs else "",
            "errors at most": str(max(costs, default=0)),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("version")


def merged_words(pairs: Sequence[Pair], version: str) -> list[tuple[str, str]]:
    """Pairs of different words of all texts, without digits and Latin, that `numbers+latin` makes equal.

    Number words are left out: their forms are made one on purpose.
    """
    groups: dict[str, list[str]] = {}
    for word in _vocabulary(pairs):
        groups.setdefault(normalize(word, "numbers+latin", version), []).append(word)
    return [pair for words in groups.values() for pair in itertools.combinations(words, 2)]


def _vocabulary(pairs: Sequence[Pair]) -> list[str]:
    texts = (normalized(text, "verbatim") for pair in pairs for text in (pair.reference, pair.hypothesis))
    words = dict.fromkeys(word for text in texts for word in text.split())
    return [word for word in words if word not in NUMBER_WORDS and not has_digit_or_latin(word)]


def _costs(reference: str, version: str) -> Iterator[int]:
    """Errors of the reference without one of its number words, for each in turn."""
    words = normalized(reference, "verbatim").split()
    whole = normalized(reference, "numbers", version)
    for at, word in enumerate(words):
        if word in NUMBER_WORDS:
            rest = " ".join([*words[:at], *words[at + 1 :]])
            yield word_counts(whole, normalized(rest, "numbers", version)).errors


def _runs_together(reference: str, version: str) -> bool:
    """True if side by side numbers of up to six digits in all become one number that was not said."""
    words = normalized(reference, "verbatim").split()
    as_said = {normalized(word, "numbers", version) for word in words if word in NUMBER_WORDS}
    found = normalized(reference, "numbers", version).split()
    return "тысяча" in found and "тысяча" not in as_said


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.studies.normalizer", description=__doc__)
    parser.add_argument("pairs", type=Path, help="JSON Lines file of pairs")
    options = parser.parse_args(arguments)
    try:
        pairs = read_pairs(options.pairs)
    except GigasttError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    tables = [rates(pairs), *(by_rule(pairs, version) for version in VERSIONS), over_merges(pairs)]
    sys.stdout.write("\n\n".join(render_markdown(table.reset_index()) for table in tables) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
