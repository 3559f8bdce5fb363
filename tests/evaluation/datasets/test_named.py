"""Names, rules and local parquet; what comes from the Hub is in test_datasets_hub.py."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.datasets.manifests import RowList
from evaluation.datasets.named import DatasetError, open_dataset
from evaluation.datasets.utterances import Dataset, Row, drawn
from gigastt_lab.audio.reading import decode_audio


def dataset_of(*rows, **options):
    """A dataset of (audio, reference)."""
    source = RowList([Row(i, f"{i:06d}", audio, reference) for i, (audio, reference) in enumerate(rows)])
    return Dataset(source, name="x", prefix="x", revision="r", description="rows", **options)


def ids(dataset):
    return [utterance.id for utterance in dataset]


def found(dataset):
    return [(finding.id, finding.reason, finding.excluded, finding.same_as) for finding in dataset.findings]


def test_the_demo_clips_can_be_read_and_have_references(clips):
    dataset = open_dataset("demo")
    utterances = list(dataset)
    assert [utterance.reference for utterance in utterances] == [clip.text for clip in clips]
    assert [utterance.audio for utterance in utterances] == [clip.path for clip in clips]
    assert utterances[3].id == "demo/000003"
    assert len({utterance.speaker for utterance in utterances}) > 1
    assert utterances[0].duration_s == pytest.approx(len(decode_audio(utterances[0].audio)) / 16000, abs=0.01)
    assert (dataset.findings, dataset.n_rows) == ((), len(clips))


def test_what_cannot_be_scored_is_left_out_and_named():
    dataset = dataset_of((b"1", None), (b"2", "\u00a0\n"), (None, "три"), (b"4", "..."), (b"5", "пять"))
    assert ids(dataset) == ["x/000003", "x/000004"]
    assert found(dataset) == [
        ("x/000000", "no reference", True, None),
        ("x/000001", "blank reference", True, None),
        ("x/000002", "no audio", True, None),
    ]
    assert (dataset.n_rows, len(dataset.exclusions)) == (5, 3)


def test_a_duplicate_has_the_same_audio_and_the_same_reference(tmp_path):
    (tmp_path / "copy").write_bytes(b"1")
    rows = [
        (b"1", "раз"),
        (b"1", "два"),
        (b"2", "раз"),
        (tmp_path / "copy", "раз"),
        (tmp_path / "gone", "раз"),
    ]
    kept, dropped = dataset_of(*rows), dataset_of(*rows, duplicates="drop")
    assert ids(kept) == [f"x/00000{i}" for i in range(5)]
    assert found(kept) == [
        ("x/000001", "same audio, other text", False, "x/000000"),
        ("x/000003", "duplicate", False, "x/000000"),
    ]
    assert kept.exclusions == ()
    assert ids(dropped) == ["x/000000", "x/000001", "x/000002", "x/000004"]
    assert [finding.id for finding in dropped.exclusions] == ["x/000003"]


def test_each_iteration_starts_anew():
    dataset = dataset_of((b"1", None), (b"2", "два"), (b"2", "два"))
    assert ids(dataset) == ids(dataset)
    assert (len(dataset.findings), dataset.n_rows) == (2, 3)


def test_a_limit_stops_reading():
    dataset = dataset_of((b"1", None), (b"2", "два"), (b"3", "три"), (b"4", None), limit=2)
    assert ids(dataset) == ["x/000001", "x/000002"]
    assert dataset.n_rows == 3


def test_a_sample_is_in_order_and_excluded_rows_are_not_replaced():
    rows = [(bytes([i]), "да" if i % 2 else None) for i in range(100)]
    dataset = dataset_of(*rows, sample=30, seed=1)
    assert ids(dataset) == sorted(ids(dataset))
    assert dataset.n_rows == 30
    assert len(ids(dataset)) + len(dataset.exclusions) == 30
    assert ids(dataset_of(*rows, sample=30, seed=1, limit=5)) == ids(dataset)[:5]


def test_drawing_depends_on_nothing_but_the_seed_and_favours_no_row():
    assert drawn(10, 3, 0) == {0, 4, 6}  # for ever: a sample must be the same on every machine
    assert drawn(10, 30, 0) == frozenset(range(10))
    assert drawn(1000, 10, 5) < drawn(1000, 20, 5)
    times = [0] * 20
    for seed in range(2000):
        for number in drawn(20, 5, seed):
            times[number] += 1
    # 500 each, standard deviation 19
    assert all(400 < n < 600 for n in times)


def test_a_seed_that_draws_nothing_is_none_of_the_drawing():
    rows = [(b"1", "раз")]
    assert dataset_of(*rows, seed=3).drawing == dataset_of(*rows).drawing
    assert dataset_of(*rows, seed=3, sample=1).drawing["seed"] == 3


def test_what_was_read_is_told():
    rows = [(b"1", "раз")]
    assert dataset_of(*rows).description == "rows, duplicates kept"
    told = dataset_of(*rows, sample=3, seed=7, limit=2, duplicates="drop").description
    assert told == "rows, 3 rows drawn with seed 7, the first 2 utterances, duplicates dropped"


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Two parquet files of two row groups each, with plain columns: a path, and the content."""
    folder = tmp_path_factory.mktemp("shards")
    (folder / "a.wav").write_bytes(b"by path")
    audio = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("audio", audio), ("text", pa.string()), ("speaker", pa.int64())])
    cells = [{"bytes": b"by content", "path": "b.wav"}, {"bytes": None, "path": "a.wav"}, None]
    for name, words in (("0.parquet", ["раз", "два", "три"]), ("1.parquet", ["четыре", None, "шесть"])):
        rows = [
            {"audio": cell, "text": word, "speaker": i}
            for i, (cell, word) in enumerate(zip(cells, words, strict=True))
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / name, row_group_size=2)
    return folder


def test_a_parquet_file(shards):
    dataset = open_dataset(shards / "0.parquet")
    assert [(u.id, u.audio, u.reference, u.file_name, u.speaker) for u in dataset] == [
        ("0/000000", b"by content", "раз", "b.wav", "0"),
        ("0/000001", shards / "a.wav", "два", "a.wav", "1"),
    ]
    assert found(dataset) == [("0/000002", "no audio", True, None)]


def test_a_folder_of_parquet_files(shards):
    dataset = open_dataset(shards)
    assert [u.reference for u in dataset] == ["раз", "два", "четыре"]
    assert [finding.id for finding in dataset.exclusions] == [f"{shards.stem}/00000{i}" for i in (2, 4, 5)]
    drawn_rows = open_dataset(shards, sample=3, seed=2)
    list(drawn_rows)
    assert drawn_rows.n_rows == 3
    assert dataset.revision == open_dataset(shards).revision != open_dataset(shards / "0.parquet").revision


def test_a_broken_parquet_file_is_named(shards, tmp_path):
    content = (shards / "0.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match=r"cut\.parquet"):
        list(open_dataset(tmp_path / "cut.parquet"))


def test_a_file_that_is_missing_beside_a_parquet_file(shards, tmp_path):
    (tmp_path / "0.parquet").write_bytes((shards / "0.parquet").read_bytes())
    read = []
    with pytest.raises(DatasetError, match=r"row 1: 'a\.wav' in column 'audio' has no content"):
        read.extend(utterance.id for utterance in open_dataset(tmp_path / "0.parquet"))
    assert read == ["0/000000"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("golos", "there is no dataset 'golos'.*golos-crowd, golos-farfield, demo"),
        ("some/file.jsonl", "there is no dataset"),
        ("../elsewhere", "there is no dataset"),
        (__file__, "is no dataset; known are parquet"),
    ],
)
def test_what_is_no_dataset_is_named(name, complaint):
    with pytest.raises(DatasetError, match=complaint):
        open_dataset(name)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"limit": 0}, "limit is 0"),
        ({"sample": -1}, "sample is -1"),
        ({"duplicates": "both"}, "duplicates is 'both'"),
        ({"revision": "main"}, "'demo' is a local set"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        open_dataset("demo", **options)


def test_scoring_does_not_load_datasets():
    code = (
        "import sys, evaluation.datasets.named\n"
        "from evaluation.scoring import mapsswe, metrics\n"
        "from evaluation.statistics import intervals\n"
        "print({'datasets', 'pyarrow', 'pandas', 'huggingface_hub'} & {*sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_a_path_of_the_home_folder_and_one_that_is_not_there_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.wav").write_bytes(b"1")
    (tmp_path / "test.csv").write_text("path,text\na.wav,раз\n", encoding="utf-8")
    assert ids(open_dataset("~/test.csv")) == ["test/000000"]
    with pytest.raises(DatasetError, match=r"there is no dataset 'https://host\.example/test\.csv'"):
        open_dataset("https://host.example/test.csv")
