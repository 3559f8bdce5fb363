"""Other engines' output as record files."""

import csv
import json
import os
from pathlib import Path

import pytest

from evaluation.datasets.named import open_dataset
from evaluation.datasets.utterances import DatasetError
from evaluation.records.files import RecordError, load, read
from evaluation.records.importing import Columns, import_records
from evaluation.run.runner import run
from evaluation.systems.base import Outcome

ROWS = [
    {
        "file": "a.wav",
        "reference": "раз\u2028два",
        "hypothesis": "Раз, два.",
        "engine": "one",
        "duration": 1.5,
    },
    {"file": "b.wav", "reference": " ", "hypothesis": "шум", "engine": "one"},
    {"file": "c.wav", "reference": "три", "hypothesis": None, "engine": "one"},
    {"file": "d.wav", "reference": None, "hypothesis": "", "engine": "one"},
    {"file": "a.wav", "reference": "раз\u2028два", "hypothesis": "", "engine": "two/2"},
    {"file": "c.wav", "reference": "три", "hypothesis": "три", "engine": "two/2"},
]


class Repeating:
    """A system that says the same to everything."""

    name, batch_size, info = "repeating", 1, {}

    def transcribe(self, audios):
        return [Outcome(hypothesis="да", audio_s=1.0, work_s=0.1) for _ in audios]


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def jsonl(tmp_path):
    return write(tmp_path / "out.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS))


def test_a_record_file_for_each_system(jsonl, tmp_path):
    paths = import_records(jsonl, tmp_path / "runs", command="import out.jsonl")
    assert [path.name for path in paths] == ["out_one.jsonl", "out_two-2.jsonl"]
    one, two = map(read, paths)
    assert (one.header.system, two.header.system) == ("one", "two/2")
    assert [(r.id, r.reference, r.hypothesis, r.audio_s, r.audio) for r in one.records] == [
        ("out/a.wav", "раз\u2028два", "Раз, два.", 1.5, None),
        ("out/c.wav", "три", None, None, None),
    ]
    assert [record.error for record in one.records] == [None, "no hypothesis in the imported file"]
    assert [record.hypothesis for record in two.records] == ["", "три"]
    assert one.end.n_rows == 4
    assert [(found["id"], found["reason"], found["excluded"]) for found in one.end.findings] == [
        ("out/b.wav", "blank reference", True),
        ("out/d.wav", "no reference", True),
    ]
    assert one.header.dataset == two.header.dataset  # the same texts
    assert one.header.dataset["description"].startswith("imported from ")
    assert list(load(paths[1]).index) == ["out/a.wav", "out/c.wav"]


def test_again_gives_the_same_and_other_content_is_not_replaced(jsonl, tmp_path):
    [first, _] = import_records(jsonl, tmp_path)
    records = read(first).records
    import_records(jsonl, tmp_path)
    assert read(first).records == records
    write(jsonl, jsonl.read_text(encoding="utf-8").replace("Раз, два.", "Раз."))
    with pytest.raises(RecordError, match=r"out_one\.jsonl is there and holds something else.*--fresh"):
        import_records(jsonl, tmp_path)
    assert read(first).records == records
    import_records(jsonl, tmp_path, fresh=True)
    assert read(first).records[0].hypothesis == "Раз."


@pytest.mark.parametrize(("suffix", "mark"), [(".csv", ","), (".tsv", "\t")])
def test_tables(tmp_path, suffix, mark):
    lines = [["ref", "pred", "speaker"], ['"раз, ""два"""', "Раз", "s1"], ["три", "", ""]]
    text = "\ufeff" + "\r\n".join(mark.join(cells) for cells in lines) + "\r\n\r\n"
    [path] = import_records(write(tmp_path / f"vosk{suffix}", text), tmp_path / "runs")
    file = read(path)
    assert file.header.system == "vosk"
    assert [(r.id, r.reference, r.hypothesis, r.speaker) for r in file.records] == [
        ("vosk/000000", 'раз, "два"', "Раз", "s1"),
        ("vosk/000001", "три", "", None),
    ]


def test_columns_and_names_as_given(tmp_path):
    source = write(tmp_path / "a.csv", "number,spoken,heard,reference,who\n7,пять рублей,5 руб.,x,y\n")
    columns = Columns(reference="spoken", hypothesis="heard", id="number")
    [path] = import_records(source, tmp_path, system="мой", dataset="set", columns=columns)
    assert path.name == "set_мой.jsonl"
    [record] = read(path).records
    assert (record.id, record.reference, record.hypothesis) == ("set/7", "пять рублей", "5 руб.")
    [path] = import_records(
        source, tmp_path, columns=Columns(reference="spoken", hypothesis="heard", system="who")
    )
    assert read(path).header.system == "y"


@pytest.fixture
def demo_run(tmp_path):
    return read(run(Repeating(), open_dataset("demo"), tmp_path / "ours.jsonl", show_progress=False).path)


@pytest.mark.parametrize(("first", "mark"), [(0, ","), (len("demo/"), ";")])
def test_ids_of_our_own_records_are_comparable_with_them(tmp_path, demo_run, first, mark):
    rows = [(r.id[first:], r.reference, "да") for r in demo_run.records]
    with (tmp_path / "whisper.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=mark).writerows([("id", "reference", "hypothesis"), *rows])
    [path] = import_records(tmp_path / "whisper.csv", tmp_path / "runs", dataset="demo")
    imported = read(path)
    assert [(r.id, r.reference) for r in imported.records] == [(r.id, r.reference) for r in demo_run.records]
    assert imported.header.dataset["name"] == demo_run.header.dataset["name"]
    pytest.importorskip("jiwer", reason="jiwer is not installed: pip install jiwer")
    from evaluation.scoring.compare import compare

    compare(demo_run, imported, n_resamples=10)  # refuses what is not the same utterances


def test_an_id_with_and_without_the_dataset_is_one(tmp_path):
    source = write(tmp_path / "a.csv", "id,ref,hyp\ndemo/1,а,а\n1,а,а\n")
    with pytest.raises(RecordError, match=r"line 3: the id '1' was in .*line 2 already"):
        import_records(source, tmp_path, dataset="demo")
    assert len(read(import_records(source, tmp_path)[0]).records) == 2  # of the dataset `a`


def test_audio_is_named_where_it_is_a_file(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes(b"a")
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in/rows.csv", f"audio,ref,hyp\na.wav,а,а\nb.wav,а,а\n{'x' * 5000},а,а\n")
    [path] = import_records("in/rows.csv", "out")
    assert [record.audio for record in read(path).records] == [str(tmp_path / "in/a.wav"), None, None]


def test_a_json_list(tmp_path):
    source = write(tmp_path / "a.json", json.dumps(ROWS[:1]))
    assert len(read(import_records(source, tmp_path)[0]).records) == 1


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.jsonl", '{"reference": "а", "hypothesis": "б"}\n{', r"a\.jsonl, line 2: not JSON"),
        ("a.jsonl", "5\n", "line 1: not a JSON object"),
        ("a.json", '[{"reference": "а", "hypothesis": "б"}, 7]', "item 2: not a JSON object"),
        ("a.jsonl", '{"reference": 5, "hypothesis": "б"}\n', "line 1: the reference 5 is no text"),
        ("a.jsonl", '{"reference": "а", "hypothesis": ["б"]}\n', "line 1: the hypothesis .* is no text"),
        ("a.jsonl", '{"id": 1, "ref": "а", "hyp": "а"}\n' * 2, "line 2: the id '1' was in .*line 1 already"),
        ("a.csv", "ref,hyp\nа\n", "line 2: 1 fields under a header of 2"),
        ("a.csv", 'ref,hyp\n"а" б, в,г\n', "line 2: .*double its own"),
        ("a.csv", "ref,hyp\n", "holds no rows"),
        ("a.csv", "", "holds no rows"),
        ("a.xlsx", "", r"known are \.jsonl, \.json, \.csv, \.tsv"),
        (
            "a.jsonl",
            '{"ref":"а","hyp":"","system":"x y"}\n{"ref":"а","hyp":"","system":"x/y"}',
            "too much alike",
        ),
    ],
)
def test_what_cannot_be_imported_is_named_with_its_line(tmp_path, name, text, complaint):
    with pytest.raises(RecordError, match=complaint):
        import_records(write(tmp_path / name, text), tmp_path / "runs")


def test_a_column_that_is_not_there(tmp_path):
    source = write(tmp_path / "a.csv", "ref,heard\nа,б\n")
    with pytest.raises(DatasetError, match=r"a\.csv, line 2: no column .* for the hypothesis"):
        import_records(source, tmp_path)
    with pytest.raises(DatasetError, match="no column named 'who'"):
        import_records(source, tmp_path, columns=Columns(hypothesis="heard", system="who"))


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(RecordError, match="cannot be read"):
        import_records(tmp_path / "missing.csv", tmp_path)
    (tmp_path / "a.csv").write_bytes("ref,hyp\nа,б\n".encode("cp1251"))
    with pytest.raises(RecordError, match="is not UTF-8"):
        import_records(tmp_path / "a.csv", tmp_path)


def test_the_real_output_of_two_engines(tmp_path):
    folder = os.environ.get("GIGASTT_TEST_GOLOS")
    source = Path(folder or ".") / "hypotheses.jsonl"
    if not folder or not source.is_file():
        pytest.skip("GIGASTT_TEST_GOLOS names no folder with hypotheses.jsonl")
    files = [read(path) for path in import_records(source, tmp_path)]
    assert [file.header.system for file in files] == ["gigastt", "vosk"]
    assert [len(file.records) for file in files] == [198, 198]
    assert [file.end.n_rows for file in files] == [200, 200]
    assert files[0].header.dataset == files[1].header.dataset
    assert [r.id for r in files[0].records] == [r.id for r in files[1].records]


def test_further_columns_are_metadata_and_older_imports_without_them_are_the_same(tmp_path):
    rows = "file,reference,hypothesis,engine,speaker,city,seconds\na.wav,раз,раз,one,anna,Казань,1.5\n"
    path = write(tmp_path / "out.csv", rows)
    [file] = import_records(path, tmp_path)
    [record] = read(file).records
    assert (record.speaker, record.metadata) == ("anna", {"city": "Казань", "seconds": "1.5"})
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    del lines[1]["record"]["metadata"]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    [again] = import_records(path, tmp_path)
    assert read(again).records[0].metadata == record.metadata
