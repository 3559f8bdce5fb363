"""`evaluation.wer` of texts as people have them."""

import math

import numpy as np
import pandas as pd
import pytest

import evaluation
from evaluation.scoring.counting import ScoreError
from gigastt_lab.types import Timings, Transcript, Word
from tests.support.made_records import noisy_file

REFS = ["включи свет на кухне", "сделай погромче", "какая завтра погода"]
HYPS = ["включи свет на кухню", "сделай погромче", "какая погода"]
RATE = 2 / 9  # one substituted, one deleted


def columns(make):
    return pytest.param(make(REFS), make(HYPS), id=getattr(make, "__name__", str(make)))


@pytest.mark.parametrize(
    ("refs", "hyps"),
    [
        columns(list),
        columns(tuple),
        columns(iter),
        columns(np.array),
        columns(lambda texts: np.array(texts, dtype=object)),
        columns(pd.Series),
        columns(pd.Index),
        columns(lambda texts: pd.Series(texts, dtype=object, index=["a", "b", "c"])),
        columns(lambda texts: dict(zip("abc", texts, strict=True))),
        columns(lambda texts: (text for text in texts)),
        pytest.param(REFS, pd.Series(HYPS, index=[5, 7, 9]), id="list and column"),
        pytest.param(pd.Series(REFS, index=[5, 7, 9]), HYPS, id="column and list"),
    ],
)
def test_any_column_of_texts(refs, hyps):
    one = evaluation.wer(refs, hyps)
    assert one.wer.rate == RATE
    assert str(one.wer).startswith("22.22 [")
    assert one.utterances["errors"].tolist() == [1, 0, 1]
    assert one.wer.low < RATE < one.wer.high


def test_columns_of_pyarrow():
    pa = pytest.importorskip("pyarrow")
    assert evaluation.wer(pa.array(REFS), pa.chunked_array([HYPS[:1], HYPS[1:]])).wer.rate == RATE


def test_a_single_text_is_an_utterance():
    assert evaluation.wer("раз два", "раз").wer.rate == 0.5
    assert evaluation.wer("раз два", ["раз"]).wer.rate == 0.5
    assert evaluation.wer(np.array("раз два"), "раз").wer.rate == 0.5


def test_it_is_what_a_record_file_scores(tmp_path):
    """The same rates and intervals as `score` of the same records, and as an independent count of edits."""
    jiwer = pytest.importorskip("jiwer")
    file = noisy_file(200, n_speakers=12)
    refs, hyps = ([getattr(each, side) for each in file.records] for side in ("reference", "hypothesis"))
    speakers = [each.speaker for each in file.records]
    one, two = evaluation.wer(refs, hyps, speakers=speakers), evaluation.score(file)
    assert (one.wer, one.cer, one.ser) == (two.wer, two.cer, two.ser)
    lower = [text.lower() for text in hyps]
    assert math.isclose(one.wer.rate, jiwer.wer(refs, lower))
    assert math.isclose(one.cer.rate, jiwer.cer(refs, lower))


def test_columns_with_other_indexes_are_paired_by_their_labels():
    refs = pd.Series(REFS, index=["a", "b", "c"])
    hyps = pd.Series(HYPS, index=["a", "b", "c"])[["c", "a", "b"]]
    speakers = pd.Series({"b": 1, "c": 2, "a": 1})
    one = evaluation.wer(refs, hyps, speakers=speakers)
    assert one.utterances["errors"].to_dict() == {"a": 1, "b": 0, "c": 1}
    assert [record.speaker for record in one.file.records] == ["1", "1", "2"]
    by_key = evaluation.wer(dict(refs), dict(hyps), speakers={"a": "x", "b": "x", "c": "y"})
    assert by_key.utterances["errors"].equals(one.utterances["errors"])
    table = pd.DataFrame({"ref": REFS, "hyp": HYPS}).sort_values("hyp")
    assert evaluation.wer(table["ref"], table["hyp"]).utterances["errors"].to_dict() == {
        "000000": 1,
        "000001": 0,
        "000002": 1,
    }


def test_an_index_that_repeats_labels_is_paired_by_order_where_both_have_it():
    both = pd.DataFrame({"ref": REFS, "hyp": HYPS}, index=[0, 0, 1])
    assert evaluation.wer(both["ref"], both["hyp"]).wer.rate == RATE


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA, np.nan])
def test_a_missing_hypothesis_is_a_failure(missing):
    one = evaluation.wer(["раз два", "три"], [missing, "три"])
    assert one.wer.rate == 2 / 3
    assert list(one.failures.index) == ["000000"]
    assert "1 utterance failed, and counts as all words deleted." in repr(one)
    assert not len(evaluation.wer(["раз два"], [""]).failures)  # an empty one was recognised


def test_a_missing_hypothesis_in_a_column():
    one = evaluation.wer(pd.Series(["раз два", "три"]), pd.Series([None, "три"]))
    assert len(one.failures) == 1


def test_a_missing_reference_is_left_out_and_said():
    one = evaluation.wer(["раз", None, " ", math.nan, "..."], ["раз", "два", "три", "x", "пять"])
    assert list(one.utterances.index) == ["000000", "000004"]
    assert one.wer.rate == 1  # the mark alone has no word: what was heard there is an insertion
    assert "Left out: 2 rows (no reference), 1 row (blank reference)." in repr(one)
    assert "Left out" in one._repr_html_()


def test_what_a_recogniser_gave():
    word = Word("раз", 0.0, 0.1, 1.0)
    transcript = Transcript((word,), 1.0, Timings(), 1)
    assert evaluation.wer(["раз два", "три"], [transcript, {"text": "три"}]).wer.rate == 1 / 3


def test_ids_speakers_and_sessions():
    one = evaluation.wer(
        REFS, HYPS, ids=[7, "b", np.int64(9)], speakers=["x", "y", None], sessions=[1, 1.0, None]
    )
    assert list(one.utterances.index) == ["000007", "b", "000009"]
    assert [record.speaker for record in one.file.records] == ["x", "y", None]
    assert [record.session for record in one.file.records] == ["1", "1", None]


def test_options_are_those_of_a_score():
    one = evaluation.wer(["Раз, два!"], ["раз два"], profile="verbatim", n_resamples=10, level=0.9)
    assert (one.wer.level, one.options.profile) == (0.9, "verbatim")
    with pytest.raises(TypeError, match=r"no option 'profil'; options of a score are .*profile"):
        evaluation.wer(REFS, HYPS, profil="verbatim")
    with pytest.raises(ValueError, match="blocks is 'speakers'; allowed are auto, speaker"):
        evaluation.wer(REFS, HYPS, blocks="speakers")
    with pytest.raises(ValueError, match="level is 95"):
        evaluation.wer(REFS, HYPS, level=95)


def test_two_results_are_compared():
    a, b = evaluation.wer(REFS, HYPS, name="a"), evaluation.wer(REFS, REFS, name="b")
    found = evaluation.compare(a, b)
    assert (found.label_a, found.label_b, found.wer.difference) == ("a", "b", RATE)
    assert repr(found).startswith("System")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((REFS, HYPS[:2]), "3 references and 2 hypotheses; give as many"),
        (("раз", HYPS), "1 reference and 3 hypotheses"),
        (([], []), "nothing to score"),
        (([None], ["раз"]), "nothing to score: 1 reference, none of them with a text"),
        ((REFS, None), "hypotheses are None .NoneType.; give a list"),
        ((REFS, set(HYPS)), "hypotheses are a set, which has no order"),
        ((__file__, "раз"), "references are the path .*; give texts"),
        ((b"abc", b"abc"), "references are b'abc' .bytes.; give a list"),
        (([b"a"], ["a"]), "the reference of '000000' is b'a' .bytes., no text"),
        ((REFS, [1, 2, 3]), "the hypothesis of '000000' is 1 .int., no text"),
        (([["раз", "два"]], [["раз"]]), r"the reference of '000000' is \['раз', 'два'\] .list., no text"),
        ((np.array([REFS]), np.array([HYPS])), "references have 2 dimensions; give one column"),
        ((pd.DataFrame({"a": REFS}), HYPS), "references have 2 dimensions"),
        ((dict(enumerate(REFS)), HYPS), "one is a dict and the other is not"),
        (({"a": "x", "b": "y"}, {"a": "x"}), r"1 of the references has no hypothesis \('b'\); give None"),
        (({"a": "x"}, {"a": "x", "c": "y"}), r"1 of the hypotheses has no reference \('c'\)"),
        (
            (pd.Series(REFS, index=list("abc")), pd.Series(HYPS, index=list("abd"))),
            r"has no hypothesis \('c'\) and 1 of the hypotheses has no reference \('d'\)",
        ),
        (
            (pd.Series(REFS, index=[0, 0, 1]), pd.Series(HYPS, index=[0, 1, 2])),
            "other indexes, with labels that occur twice",
        ),
        ((pd.Series(REFS), pd.Series(HYPS[:2])), "3 references and 2 hypotheses"),
    ],
)
def test_what_makes_no_pairs_says_why(arguments, message):
    with pytest.raises(ScoreError, match=message):
        evaluation.wer(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": ["a", "a", "b"]}, "1 id occurs twice, 'a' first"),
        ({"ids": ["a", None, "b"]}, "id of utterance 1 is missing"),
        ({"ids": ["a"]}, "1 id of 3 utterances; give one for each"),
        ({"speakers": ["a"]}, "1 speaker of 3 utterances"),
        ({"speakers": {0: "a"}}, "2 of the references have no speaker"),
        ({"blocks": "speaker"}, "speaker"),
    ],
)
def test_columns_beside_the_texts_have_to_fit(options, message):
    with pytest.raises(ScoreError, match=message):
        evaluation.wer(REFS, HYPS, **options)


def test_a_result_shows_itself():
    one = evaluation.wer(REFS, HYPS, name="мой | <b>движок</b>")
    lines = repr(one).splitlines()
    assert lines[0].startswith("System")
    assert lines[1].startswith("мой | <b>движок</b>  22.22 [")
    assert "profile numbers; intervals of 95 %." in lines[2]
    assert "intervals of 99.5 %." in repr(evaluation.wer(REFS, HYPS, level=0.995))
    page = one._repr_html_()
    assert "22.22 [" in page
    assert "<b>движок" not in page
    assert one.worst(1).to_dict("records") == [
        {
            "reference": "какая завтра погода",
            "hypothesis": "какая погода",
            "errors": 1,
            "n_words": 3,
            "failed": False,
        }
    ]
    assert len(one.worst()) == 2


def test_ten_thousand_pairs_by_their_ids():
    """Nothing here is quadratic, or this would take minutes."""
    n = 10_000
    refs = {f"u{i}": f"раз {i % 7} два" for i in range(n)}
    one = evaluation.wer(refs, {key: refs[key] for key in reversed(refs)}, speakers=dict.fromkeys(refs, 1))
    assert one.wer.rate == 0
    assert len(one.utterances) == n
