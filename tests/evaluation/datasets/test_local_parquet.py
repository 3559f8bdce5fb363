"""Parquet on this machine as `datasets` and the Hub lay it out: splits, configurations, a README."""

import io
import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from evaluation.datasets.named import open_dataset
from evaluation.datasets.pieces import Piece
from evaluation.datasets.utterances import DatasetError

SCHEMA = pa.schema(
    [
        ("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("text", pa.string()),
        ("city", pa.string()),
        ("age", pa.int64()),
        ("embedding", pa.list_(pa.float32())),
        ("article", pa.string()),
    ]
)


def parquet(path, *texts):
    rows = [
        {"audio": {"bytes": text.encode(), "path": None}, "text": text, "city": "Казань", "age": 30}
        | {"embedding": [0.5] * 1000, "article": f"{number} " * 5000}
        for number, text in enumerate(texts)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)


def texts_of(path, **options):
    return [utterance.reference for utterance in open_dataset(path, **options)]


def ids_of(path, **options):
    return [utterance.id for utterance in open_dataset(path, **options)]


@pytest.fixture
def copy(tmp_path):
    """A copy of a set of the Hub, two splits of it."""
    folder = tmp_path / "speech"
    parquet(folder / "data/train-00000-of-00001.parquet", "учёба")
    parquet(folder / "data/test-00000-of-00002.parquet", "раз", "два")
    parquet(folder / "data/test-00001-of-00002.parquet", "три")
    (folder / ".cache/huggingface").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Speech\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("inner", ["", "data"])
def test_splits_of_a_copy_are_told_apart(copy, inner):
    folder = copy / inner
    assert texts_of(folder) == texts_of(folder, split="test") == ["раз", "два", "три"]
    assert texts_of(folder, split="train") == ["учёба"]
    assert ids_of(folder, split="train") == [f"{folder.name}/train/000000"]
    assert "split test" in open_dataset(folder).description
    assert open_dataset(folder).revision != open_dataset(folder, split="train").revision
    with pytest.raises(DatasetError, match=r"has no split 'dev'; there are: test, train. Choose one"):
        open_dataset(folder, split="dev")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("test/0.parquet", "test"),
        ("valid.parquet", "validation"),
        ("valid.parquet", "dev"),
        ("train-0001.parquet", "train"),
        ("data/test.clean-00000-of-00001.parquet", "test.clean"),
    ],
)
def test_names_of_splits_as_they_are_met_with(tmp_path, name, split):
    parquet(tmp_path / name, "да")
    parquet(tmp_path / "other" / name.replace("test", "train").replace("valid", "train"), "нет")
    if split != "train":
        assert texts_of(tmp_path / name.split("/")[0] if "/" in name else tmp_path, split=split) == ["да"]


def test_a_folder_that_names_no_split_is_one_as_it_was(tmp_path, caplog):
    folder = tmp_path / "latest"  # not "test"
    parquet(folder / "0.parquet", "раз")
    parquet(folder / "1.parquet", "два")
    assert ids_of(folder) == ids_of(folder, split="test") == ["latest/000000", "latest/000001"]
    assert caplog.text == ""
    assert len(ids_of(folder, split="train")) == 2
    assert "has no splits" in caplog.text


def test_the_only_split_is_taken_without_a_word_and_named_where_another_is_asked_for(tmp_path):
    parquet(tmp_path / "set/train-00000-of-00001.parquet", "раз")
    assert ids_of(tmp_path / "set") == ["set/000000"]
    with pytest.raises(DatasetError, match="no split 'test'; there are: train"):
        open_dataset(tmp_path / "set", split="test")


def test_files_of_no_split_beside_some_are_named(tmp_path, caplog):
    parquet(tmp_path / "test.parquet", "раз")
    parquet(tmp_path / "more.parquet", "два")
    with caplog.at_level(logging.WARNING):
        assert texts_of(tmp_path) == ["раз"]
    assert "left out, 1 in all" in caplog.text
    assert "more.parquet" in caplog.text


def test_configurations_are_folders_with_splits_of_their_own(tmp_path):
    for language, text in (("ru", "да"), ("en", "yes")):
        parquet(tmp_path / f"set/{language}/test-00000-of-00001.parquet", text)
        parquet(tmp_path / f"set/{language}/train-00000-of-00001.parquet", f"{text} {text}")
    assert texts_of(tmp_path / "set", config="ru") == ["да"]
    assert texts_of(tmp_path / "set", config="en", split="train") == ["yes yes"]
    assert ids_of(tmp_path / "set", config="ru") == ["set/ru/test/000000"]
    parquet(tmp_path / "one/ru/test.parquet", "да")
    assert ids_of(tmp_path / "one", config="ru") == ids_of(tmp_path / "one") == ["one/000000"]
    with pytest.raises(DatasetError, match="has several configurations; there are: en, ru"):
        open_dataset(tmp_path / "set")
    with pytest.raises(DatasetError, match="no configuration 'de'; there are: en, ru"):
        open_dataset(tmp_path / "set", config="de")


CARD = """---
configs:
- config_name: crowd
  data_files:
  - split: test
    path: parts/a.parquet
  - split: train
    path: parts/b.parquet
- config_name: farfield
  data_files:
  - split: test
    path: parts/c*.parquet
---
"""


def test_a_readme_says_which_files_are_which(tmp_path):
    folder = tmp_path / "set"
    for name, text in (("a", "раз"), ("b", "два"), ("c0", "три"), ("c1", "четыре")):
        parquet(folder / f"parts/{name}.parquet", text)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    assert texts_of(folder, config="crowd") == ["раз"]
    assert texts_of(folder, config="crowd", split="train") == ["два"]
    assert texts_of(folder, config="farfield") == ["три", "четыре"]
    assert ids_of(folder, config="crowd") == ["set/crowd/test/000000"]
    for options, complaint in (
        ({}, "several configurations; there are: crowd, farfield"),
        ({"config": "studio"}, "no configuration 'studio'; there are: crowd, farfield"),
        ({"config": "crowd", "split": "validation"}, "no split 'validation'; there are: .*test"),
    ):
        with pytest.raises(DatasetError, match=complaint):
            open_dataset(folder, **options)


def test_the_only_configuration_may_be_named_and_is_none_of_the_ids(copy):
    card = (
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: data/test-*\n---\n"
    )
    (copy / "README.md").write_text(card, encoding="utf-8")
    assert ids_of(copy) == ids_of(copy, config="default") == [f"speech/00000{i}" for i in range(3)]


def test_splits_hold_what_the_package_datasets_finds_in_them(copy):
    from datasets import load_dataset

    theirs = load_dataset(str(copy), cache_dir=str(copy.parent / "cache"))
    assert set(theirs) == {"train", "test"}
    for split in theirs:
        assert texts_of(copy, split=split) == theirs[split]["text"][:]


def test_a_config_of_a_set_without_is_refused(tmp_path):
    parquet(tmp_path / "a.parquet", "да")
    with pytest.raises(ValueError, match="without configurations"):
        open_dataset(tmp_path / "a.parquet", config="ru")


def test_other_columns_are_metadata_without_large_ones(copy):
    first = next(iter(open_dataset(copy)))
    assert first.metadata == {"city": "Казань", "age": "30"}


def test_the_order_is_that_of_the_names_not_of_the_disk(copy):
    files = sorted(Path(copy / "data").glob("test*"))
    assert files[0].name.endswith("00000-of-00002.parquet")
    assert ids_of(copy) == [f"speech/test/00000{i}" for i in range(3)]


def test_a_file_of_another_split_is_read_with_a_warning(copy, caplog):
    file = copy / "data/train-00000-of-00001.parquet"
    assert texts_of(file) == ["учёба"]
    assert caplog.text == ""
    assert texts_of(file, split="test") == ["учёба"]
    assert "is of split train by its name" in caplog.text


def test_paths_with_a_start_are_pieces_and_content_is_not(tmp_path):
    (tmp_path / "long.wav").write_bytes(b"RIFF")
    rows = [{"audio": "long.wav", "text": "да", "offset": 1.0, "duration": 2.0}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "paths.parquet")
    [utterance] = open_dataset(tmp_path / "paths.parquet")
    assert (utterance.audio, utterance.duration_s, utterance.metadata) == (
        Piece(tmp_path / "long.wav", 1.0, 3.0),
        2.0,
        {},
    )
    rows[0]["audio"] = {"bytes": b"RIFF", "path": "long.wav"}
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "content.parquet")
    [utterance] = open_dataset(tmp_path / "content.parquet")
    assert (utterance.audio, utterance.duration_s, utterance.metadata) == (b"RIFF", 2.0, {"offset": "1.0"})


@pytest.mark.slow
def test_classes_are_metadata_by_their_names_and_what_is_missing_is_none(tmp_path):
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features(
        {"text": Value("string"), "path": Value("string"), "gender": ClassLabel(names=["female", "male"])}
        | {"snr": Value("float32")}
    )
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    columns = {"text": ["да", "нет"], "path": ["a.wav"] * 2, "gender": [1, None], "snr": [12.5, float("nan")]}
    Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "a.parquet")
    assert [utterance.metadata for utterance in open_dataset(tmp_path / "a.parquet")] == [
        {"gender": "male", "snr": "12.5"},
        {},
    ]


def test_configurations_below_a_folder_of_all_files(tmp_path):
    for language in ("ru", "en"):
        parquet(tmp_path / f"data/{language}/test-00000-of-00001.parquet", language)
    with pytest.raises(DatasetError, match="has several configurations; there are: en, ru"):
        texts_of(tmp_path)
    assert texts_of(tmp_path, config="ru") == ["ru"]


@pytest.mark.slow
def test_a_set_without_configurations_has_the_default_one_and_no_other(copy):
    assert ids_of(copy, config="default") == ids_of(copy)
    with pytest.raises(DatasetError, match=r"no configuration 'ru'; there are: none\. Leave it out"):
        texts_of(copy, config="ru")


def test_the_only_split_may_be_named_without_a_word(tmp_path, caplog):
    parquet(tmp_path / "train-00000-of-00001.parquet", "да")
    assert texts_of(tmp_path, split="train") == ["да"]
    assert caplog.text == ""


def test_a_file_without_rows_is_passed_over(copy):
    parquet(copy / "data/test-00000-of-00002.parquet")
    assert texts_of(copy) == ["три"]


@pytest.mark.parametrize("is_dict", [True, False])
def test_samples_in_cells_are_audio(tmp_path, is_dict):
    samples = [0.5, -0.25, 0.0, 0.125]
    row = {"audio": {"array": samples, "sampling_rate": 8000} if is_dict else samples, "text": "да"}
    pq.write_table(pa.Table.from_pylist([{**row, "sampling_rate": 8000}]), tmp_path / "test.parquet")
    [utterance] = open_dataset(tmp_path / "test.parquet")
    read, rate = soundfile.read(io.BytesIO(utterance.audio))
    assert (read.tolist(), rate) == (samples, 8000)


def test_folders_that_name_a_split_in_several_ways_are_not_one(tmp_path):
    for name in ("test-clean", "test-other", "dev-clean"):
        parquet(tmp_path / name / "0.parquet", name)
    with pytest.raises(DatasetError, match="no split 'test'; there are: validation, test-clean, test-other"):
        texts_of(tmp_path)
    assert texts_of(tmp_path, split="test-other") == ["test-other"]


def test_a_folder_called_as_a_file_is_a_folder(tmp_path):
    parquet(tmp_path / "speech.parquet/part-00000.snappy.parquet", "да")
    assert texts_of(tmp_path) == texts_of(tmp_path / "speech.parquet") == ["да"]
