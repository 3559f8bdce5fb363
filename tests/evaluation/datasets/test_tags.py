"""Marks of noise in references: taken out by rule, told, and kept on request."""

import pytest

from evaluation.datasets.manifests import RowList
from evaluation.datasets.tags import without_tags
from evaluation.datasets.utterances import WITH_TAGS, Dataset, Row


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("привет <unk> как дела", "привет как дела"),
        ("[шум] да", "да"),
        ("да, [посторонний шум].", "да,."),
        ("(неразб.) вчера", "вчера"),
        ("вчера (неразборчиво) был", "вчера был"),
        ("ну {laugh} ладно", "ну ладно"),
        ("*кашляет* простите", "простите"),
        ("да [noise] <noise> {breath} (пауза) нет", "да нет"),
        ("<UNK>", ""),
        ("[Музыка]", ""),
        # Speech, in brackets or not
        ("он сказал (да) и ушёл", "он сказал (да) и ушёл"),
        ("шум и музыка", "шум и музыка"),
        ("(пау) {силуэт}", "(пау) {силуэт}"),
        ("a < b и b > a", "a < b и b > a"),
        ("5*3*2", "5*3*2"),
        ("два  пробела", "два  пробела"),
        ("да {смеётся} (Смеётся) *зевает*", "да"),
    ],
)
def test_what_is_taken_out(text, spoken):
    assert without_tags(text) == spoken


def dataset_of(*references, **options):
    source = RowList([Row(i, f"{i}", b"%d" % i, text) for i, text in enumerate(references)])
    return Dataset(source, name="x", prefix="x", revision="r", description="rows", **options)


def test_what_was_taken_out_is_told_and_kept():
    dataset = dataset_of("да [шум] нет", "[шум]", "да")
    first, second, third = dataset
    assert (first.reference, first.metadata) == ("да нет", {WITH_TAGS: "да [шум] нет"})
    assert (second.reference, second.metadata) == ("", {WITH_TAGS: "[шум]"})
    assert (third.reference, third.metadata) == ("да", {})
    assert [(finding.id, finding.reason, finding.excluded) for finding in dataset.findings] == [
        ("x/0", "tags dropped", False),
        ("x/1", "tags only", False),
    ]
    assert dataset.exclusions == ()


def test_on_request_they_stay_and_that_is_another_drawing():
    dataset = dataset_of("да [шум] нет", tags="keep")
    assert [utterance.reference for utterance in dataset] == ["да [шум] нет"]
    assert dataset.findings == ()
    assert dataset.drawing == {**dataset_of("да").drawing, "tags": "keep"}
    with pytest.raises(ValueError, match='tags is \'all\'; allowed are "drop" and "keep"'):
        dataset_of("да", tags="all")
