"""Hypotheses that come without references: CTM, STM, TRN, `id text` and rows, put to a reference file."""

import json
import logging
import math
import random

import pytest

from evaluation.cli.main import main
from evaluation.datasets import DatasetError
from evaluation.datasets.corpora.segments import Segment, TimedWord
from evaluation.datasets.named import open_dataset
from evaluation.records.assigning import assigned
from evaluation.records.files import RecordError, read
from evaluation.records.importing import Columns, import_records
from tests.support.audio_files import by_soundfile, speechlike

REF = """talk 1 anna 0.00 2.00 <o,f0,female> раз два
talk 1 gap 2.00 3.00 ignore_time_segment_in_scoring
talk 1 oleg 3.00 5.00 три { четыре / четверо } [шум]
other 1 anna 0.00 1.00 пять
last 1 anna 0.00 1.00 шесть
"""
#       0    1    2    3    4    5    6
# talk  [раз два ][  -  ][три четыре]
CTM = """;; hypotheses
talk 1 0.10 0.40 раз 0.9
talk 1 4.00 0.50 четверо 0.5
talk 1 1.75 0.49 два 0.8
talk 1 2.20 0.30 кашель 0.3
talk 1 3.10 0.40 три NA
talk 1 5.60 0.30 сон 0.2
other 1 2.00 0.30 да 0.2
mystery 1 0.00 0.30 нет 0.2
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def imported(path, folder, **options):
    return [read(each) for each in import_records(path, folder, **options)]


def texts(file):
    return [(record.id, record.reference, record.hypothesis) for record in file.records]


def reasons(file):
    return [(found["id"], found["reason"], found["excluded"]) for found in file.end.findings]


@pytest.fixture
def reference(tmp_path):
    return write(tmp_path / "ref.stm", REF)


def test_words_of_a_ctm_go_where_their_middle_lies(tmp_path, reference, caplog):
    [file] = imported(write(tmp_path / "vosk.ctm", CTM), tmp_path / "runs", reference=reference)
    assert file.path.name == "ref_vosk.jsonl"
    assert texts(file) == [
        ("ref/talk-0.00-2.00", "раз два", "раз два"),  # the middle of "два" is 1.995
        ("ref/talk-3.00-5.00", "три четыре", "три четверо"),
        ("ref/other-0.00-1.00", "пять", ""),  # heard, and nothing was recognised there
        ("ref/last-0.00-1.00", "шесть", None),  # never heard
    ]
    assert [record.error for record in file.records] == [None, None, None, "no word of last in vosk.ctm"]
    assert reasons(file) == [
        ("ref/talk-2.00-3.00", "no reference", True),
        ("ref/talk-3.00-5.00", "tags dropped", False),
        ("talk at 5.60 s: сон", "word outside every segment", True),
        ("other at 2.00 s: да", "word outside every segment", True),
        ("mystery at 0.00 s: нет", "word of a recording without a reference", True),
    ]
    assert file.end.n_rows == 5
    said = caplog.text
    assert "2 words of vosk.ctm outside every segment of ref.stm: left out" in said
    assert "1 word of vosk.ctm in recordings that ref.stm has not, mystery: left out" in said
    assert "vosk.ctm has no hypothesis for 1 utterance of 4" in said


def test_marks_of_noise_may_stay(tmp_path, reference):
    options = {"reference": reference, "tags": "keep"}
    [file] = imported(write(tmp_path / "vosk.ctm", CTM), tmp_path / "runs", **options)
    assert file.records[1].reference == "три четыре [шум]"


def test_words_keep_their_times_and_confidences(tmp_path, reference):
    [file] = imported(write(tmp_path / "vosk.ctm", CTM), tmp_path / "runs", reference=reference)
    first, second = file.records[:2]
    assert first.words == (("раз", 0.1, 0.5, 0.9), ("два", 1.75, 2.24, 0.8))
    assert [word[:3] for word in second.words] == [("три", 0.1, 0.5), ("четверо", 1.0, 1.5)]
    assert math.isnan(second.words[0][3])  # NA
    assert (second.audio_start_s, second.audio_s, second.session) == (3.0, 2.0, "talk")
    assert second.speaker == "oleg"
    # once more the same, though a confidence that is not known equals nothing
    assert imported(tmp_path / "vosk.ctm", tmp_path / "runs", reference=reference)[0].path == file.path


def test_the_ids_are_those_of_a_run_on_the_same_file(tmp_path, reference):
    for name in ("talk", "other", "last"):
        (tmp_path / f"{name}.wav").write_bytes(by_soundfile(speechlike(5.0), 16_000, "WAV"))
    [file] = imported(write(tmp_path / "vosk.ctm", CTM), tmp_path / "runs", reference=reference)
    dataset = open_dataset(reference)
    assert [(each.id, each.reference) for each in dataset] == [text[:2] for text in texts(file)]
    assert dataset.name == file.header.dataset["name"]
    assert [record.audio for record in file.records][:2] == [str(tmp_path / "talk.wav")] * 2
    assert [dict(each.metadata) for each in dataset] == [dict(record.metadata) for record in file.records]


def test_segments_of_an_stm(tmp_path, reference, caplog):
    hyp = "talk 1 x 0.10 1.90 раз два\ntalk 1 x 2.9 4.0 три\ntalk 1 x 4.0 6.0 четыре пять\nother 1 x 0 1\n"
    [file] = imported(write(tmp_path / "b.stm", hyp), tmp_path / "runs", reference=reference)
    assert [text[2] for text in texts(file)] == ["раз два", "три", "", None]
    assert "1 segment of b.stm outside every segment" in caplog.text  # its middle is 5.0, the end excluded
    assert all(record.words == () for record in file.records)
    caplog.clear()
    write(tmp_path / "b.stm", hyp.replace("4.0 6.0", "4.0 5.9"))
    imported(tmp_path / "b.stm", tmp_path / "runs", reference=reference, fresh=True)
    assert "1 segment of b.stm with more than half a second outside the segment" in caplog.text


def test_trn_by_id(tmp_path, caplog):
    reference = write(tmp_path / "ref.trn", "раз два (a_1)\nтри (a_2)\nпять (a_3)\n")
    hypotheses = write(tmp_path / "hyp.trn", "три (a_2)\nРаз, два. (a_1)\n да (a_9)\n")
    [file] = imported(hypotheses, tmp_path / "runs", reference=reference, system="мой")
    assert file.header.system == "мой"
    assert texts(file) == [
        ("ref/a_1", "раз два", "Раз, два."),
        ("ref/a_2", "три", "три"),
        ("ref/a_3", "пять", None),
    ]
    assert file.records[2].error == "no hypothesis in hyp.trn"
    assert reasons(file) == [("ref/a_9", "hypothesis without a reference", True)]
    assert "1 hypothesis of hyp.trn with ids that ref.trn has not" in caplog.text


@pytest.mark.parametrize("given", ["", "text"])
def test_kaldi_text_for_both(tmp_path, given):
    data = tmp_path / "data/test"
    write(data / "wav.scp", "talk sph2pipe talk.sph |\n")  # no audio is needed for this
    write(data / "segments", "u1 talk 0 2\nu2 talk 2 4\n")
    write(data / "text", "u1 раз два\nu2 три\n")
    write(data / "utt2spk", "u1 anna\nu2 oleg\n")
    [file] = imported(
        write(tmp_path / "exp/decode", "u2\nu1 раз\n"), tmp_path / "runs", reference=data / given
    )
    assert texts(file) == [("test/u1", "раз два", "раз"), ("test/u2", "три", "")]
    assert [record.speaker for record in file.records] == ["anna", "oleg"]
    # a CTM by recording, and one by utterance, whose times count from the utterance's begin
    for name, lines in (
        ("recordings.ctm", "talk A 0.5 0.2 раз\ntalk A 2.5 0.2 три\n"),
        ("utterances.ctm", "u1 1 0.5 0.2 раз\nu2 1 0.5 0.2 три\n"),
        ("ids.ctm", "test/u1 1 0.5 0.2 раз\ntest/u2 1 0.5 0.2 три\n"),
    ):
        [file] = imported(write(tmp_path / name, lines), tmp_path / "runs", reference=data / given)
        assert [text[2] for text in texts(file)] == ["раз", "три"]
        assert [record.words[0][1:3] for record in file.records] == [(0.5, 0.7)] * 2


def test_rows_of_several_systems_by_id_or_audio(tmp_path):
    rows = [("a", "раз два"), ("b", "три")]
    manifest = "".join(
        json.dumps({"audio_filepath": f"clips/{name}.wav", "text": text, "city": "Казань"}) + "\n"
        for name, text in rows
    )
    reference = write(tmp_path / "set.jsonl", manifest)
    hypotheses = write(
        tmp_path / "out.csv",
        "id,text,engine\n000000,раз,one\n000001,,one\nclips/b.wav,три,two\na,раз два,two\n",
    )
    one, two = imported(
        hypotheses, tmp_path / "runs", reference=reference, columns=Columns(hypothesis="text")
    )
    assert texts(one) == [("set/000000", "раз два", "раз"), ("set/000001", "три", "")]
    assert [text[2] for text in texts(two)] == ["раз два", "три"]
    assert one.header.dataset == two.header.dataset
    assert dict(one.records[0].metadata) == {"city": "Казань"}


def test_pieces_of_a_manifest_take_words_by_time(tmp_path):
    reference = write(
        tmp_path / "set.csv",
        "audio,start,end,text\ntalk.wav,0,2,раз\ntalk.wav,2,4,два\nwhole.wav,,,три\n",
    )
    ctm = write(tmp_path / "a.ctm", "talk 1 2.5 0.2 два\ntalk.wav 1 0.5 0.2 раз\nwhole 1 99 0.2 три\n")
    [file] = imported(ctm, tmp_path / "runs", reference=reference)
    assert [(record.hypothesis, record.audio_start_s) for record in file.records] == [
        ("раз", 0.0),
        ("два", 2.0),
        ("три", None),
    ]


def test_channels_are_heeded_where_the_reference_has_several(tmp_path, caplog):
    reference = write(tmp_path / "ref.stm", "call A anna 0 2 раз\ncall B oleg 0 2 два\n")
    ctm = write(tmp_path / "a.ctm", "call 2 0.5 0.2 два\ncall 1 0.5 0.2 раз\ncall 3 0.5 0.2 три\n")
    [file] = imported(ctm, tmp_path / "runs", reference=reference)
    assert [text[2] for text in texts(file)] == ["раз", "два"]
    assert "1 word of a.ctm in recordings that ref.stm has not, call" in caplog.text


def test_segments_at_once(tmp_path, caplog):
    reference = write(tmp_path / "ref.stm", "talk 1 anna 0 4 раз\ntalk 1 oleg 1 2 два\n")
    ctm = write(tmp_path / "a.ctm", "talk 1 0.5 0.2 раз\ntalk 1 1.4 0.2 два\ntalk 1 3 0.2 три\n")
    [file] = imported(ctm, tmp_path / "runs", reference=reference)
    assert [text[2] for text in texts(file)] == ["раз три", "два"]
    assert "1 word of a.ctm in several segments of ref.stm at once" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.ctm", "mystery 1 0 0.5 да\n", r"not one of its 1 word lies in a segment of ref\.stm; the first"),
        ("a.ctm", "talk 1 9 0.5 да\n", "is of 'talk' at 9 s, and the first segment there of 'talk' at 0 s"),
        ("a.ctm", "talk 1 0 да\n", r"a\.ctm, line 1: 4 fields"),
        ("a.ctm", ";; nothing\n", "holds no hypothesis"),
        ("a.trn", "да (u7)\n", r"its 1 id is in ref\.stm; the first is 'u7', and 'talk-0\.00-2\.00'"),
        ("a.txt", "", "holds no hypothesis"),
        ("a.jsonl", '{"id": "x", "pred_text": 5}\n', "the hypothesis 5 is no text"),
        ("a.trn", "да (other)\nнет (ref/other-0.00-1.00)\n", r"line 2: .* which .*line 1 has already"),
    ],
)  # fmt: skip
def test_what_belongs_to_no_reference(tmp_path, reference, name, text, complaint):
    with pytest.raises(RecordError, match=complaint):
        import_records(write(tmp_path / name, text), tmp_path / "runs", reference=reference)


def test_references_that_are_none(tmp_path, reference):
    ctm = write(tmp_path / "a.ctm", CTM)
    with pytest.raises(
        RecordError, match=r"holds hypotheses alone; say where the references are \(--reference"
    ):
        import_records(ctm, tmp_path)
    with pytest.raises(RecordError, match=r"there are no references .*gone\.stm"):
        import_records(ctm, tmp_path, reference=tmp_path / "gone.stm")
    with pytest.raises(RecordError, match="holds no references: neither `text` of Kaldi"):
        import_records(ctm, tmp_path, reference=write(tmp_path / "empty/x", "").parent)
    with pytest.raises(RecordError, match="ends at 0 s and begins at 1 s"):
        import_records(ctm, tmp_path, reference=write(tmp_path / "b.stm", "talk 1 a 1 0 да\n"))


def test_the_column_of_the_references_can_be_said(tmp_path):
    reference = write(tmp_path / "set.csv", "audio,spoken,text\na.wav,раз,1\n")
    hypotheses = write(tmp_path / "hyp.trn", "раз (a)\n")
    columns = Columns(reference="spoken")
    [file] = imported(hypotheses, tmp_path / "runs", reference=reference, columns=columns)
    assert texts(file) == [("set/000000", "раз", "раз")]
    with pytest.raises(DatasetError, match="no column named 'heard' for the reference"):
        imported(hypotheses, tmp_path, reference=reference, columns=Columns(reference="heard"))


def test_the_command_line_says_what_is_missing(tmp_path, caplog, capsys, logging_as_it_was):
    ctm = write(tmp_path / "a.ctm", CTM)
    assert main(["import", str(ctm), "--out", str(tmp_path / "runs")]) == 1
    told = capsys.readouterr().err + caplog.text
    assert "say where the references are (--reference)" in told
    assert "Traceback" not in told


def test_the_form_can_be_said(tmp_path):
    reference = write(tmp_path / "ref.trn", "раз (a)\n")
    odd = write(tmp_path / "hyp.out", "раз (a)\n")
    [file] = imported(odd, tmp_path / "runs", reference=reference, form="trn")
    assert texts(file) == [("ref/a", "раз", "раз")]


def test_every_word_is_somewhere_and_where_it_was_put_holds_its_middle():
    """Against a plain search through all segments, of random segments that overlap."""
    rng = random.Random(0)
    segments = []
    for number in range(60):
        start = rng.uniform(0, 50)
        end = None if number % 40 == 39 else start + rng.expovariate(0.5) + 0.01
        segments.append(
            Segment(
                key=str(number), recording=rng.choice("ab"), text="", start_s=start,
                end_s=end,
            )
        )  # fmt: skip
    words = [
        TimedWord(recording=rng.choice("abc"), channel="1", text=str(number), start_s=s, end_s=s + 0.2)
        for number, s in enumerate(rng.uniform(0, 55) for _ in range(500))
    ]
    result = assigned(words, segments)
    put = {word.text: number for number, found in result.words.items() for word in found}
    for word in words:
        middle = (word.start_s + word.end_s) / 2
        holding = [
            number for number, each in enumerate(segments)
            if each.recording == word.recording and each.start_s <= middle < (each.end_s or math.inf)
        ]  # fmt: skip
        expected = max(holding, key=lambda number: segments[number].start_s) if holding else None
        assert put.get(word.text) == expected
    assert len(put) + len(result.outside) + len(result.unknown) == len(words)
    assert {word.recording for word in result.unknown} == {"c"}


def test_nothing_is_said_where_nothing_is_lost(tmp_path, caplog):
    reference = write(tmp_path / "ref.trn", "раз (a)\n")
    with caplog.at_level(logging.INFO):
        imported(write(tmp_path / "hyp.trn", "раз (a)\n"), tmp_path / "runs", reference=reference)
    assert caplog.text == ""
