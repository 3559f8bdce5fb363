"""Warnings: what a reader has to know before any number, and nothing where all is well."""

from dataclasses import replace

from evaluation.report.account import warnings
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file


def warned(file):
    return warnings({"A": score(file)})


def with_speakers(n, names):
    file = noisy_file(n)
    return replace(
        file,
        records=tuple(
            replace(record, speaker=names[number % len(names)]) for number, record in enumerate(file.records)
        ),
    )


def test_a_good_set_has_no_warning():
    assert warned(noisy_file(60)) == []
    assert warned(noisy_file(60, n_speakers=12)) == []


def test_few_utterances_and_few_speakers_are_said():
    assert warned(noisy_file(19)) == ["Only 19 utterances: intervals are wide, and no verdict is given."]
    [few] = warned(noisy_file(60, n_speakers=4))
    assert few.startswith("Only 4 speakers: ")


def test_one_speaker_is_fewer_than_four():
    """A set of one speaker once fell back to utterances without the warning that four speakers got."""
    [only] = warned(with_speakers(60, ["a"]))
    assert only.startswith("All utterances are of one speaker: ")
    [mostly] = warned(with_speakers(60, ["a", "a", None]))
    assert mostly.startswith("All utterances are of one speaker, as far as they name one: ")


def test_missing_names_are_counted():
    file = noisy_file(60, n_speakers=12)
    first, *rest = file.records
    [missing] = warned(replace(file, records=(replace(first, speaker=None), *rest)))
    assert missing == "1 of 60 utterances without a speaker: each counts as one of its own."


def test_many_duplicates_get_a_banner_and_few_do_not():
    again = [{"id": str(n), "reason": "duplicate", "excluded": False, "same_as": "0"} for n in range(456)]
    records = noisy_file(480).records
    [banner] = warned(file_of(*records, findings=again))
    assert banner.startswith("A: 456 of 480 utterances repeat an earlier one")
    assert warned(file_of(*records, findings=again[:3])) == []
    dropped = [each | {"excluded": True} for each in again]
    assert warned(file_of(*records, findings=dropped)) == []


def test_other_durations_than_stated_are_said():
    file = noisy_file(60)
    records = [replace(record, stated_s=record.audio_s) for record in file.records]
    assert warned(file_of(*records)) == []
    records[7] = replace(records[7], stated_s=0.2)
    [told] = warned(file_of(*records))
    assert "1 of 60 utterances" in told
    assert "u00007" in told
