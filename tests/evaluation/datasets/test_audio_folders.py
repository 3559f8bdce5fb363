"""Folders that a table describes: `metadata.csv` as `datasets` writes it, Common Voice, manifests inside."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.cli.main import main
from evaluation.datasets.named import open_dataset
from evaluation.datasets.utterances import DatasetError


def files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def found(path, **options):
    return [(u.id, u.audio, u.reference) for u in open_dataset(path, **options)]


def metadata(folder, form, rows):
    if form == "csv":
        lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
        written(folder / "metadata.csv", "\n".join(lines))
    elif form == "jsonl":
        written(folder / "metadata.jsonl", "\n".join(map(json.dumps, rows)))
    else:
        pq.write_table(pa.Table.from_pylist(rows), folder / "metadata.parquet")


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_folder_with_metadata(tmp_path, form):
    folder = tmp_path / "speech"
    files(folder, "a.wav", "sub/b.wav")
    rows = [
        {"file_name": "a.wav", "transcription": "раз", "city": "Казань", "path": "/old/place/a.wav"},
        {"file_name": "sub/b.wav", "transcription": "два", "city": "", "path": "/old/place/b.wav"},
        {"file_name": "gone.wav", "transcription": "три", "city": "", "path": ""},
    ]
    metadata(folder, form, rows)
    assert found(folder) == [
        ("speech/000000", folder / "a.wav", "раз"),
        ("speech/000001", folder / "sub/b.wav", "два"),
    ]
    dataset = open_dataset(folder)
    first = next(iter(dataset))
    assert (first.file_name, first.metadata) == ("a.wav", {"city": "Казань", "path": "/old/place/a.wav"})
    list(dataset)
    assert [(finding.id, finding.reason) for finding in dataset.findings] == [("speech/000002", "no audio")]
    assert found(folder / f"metadata.{form}")[0][1:] == (folder / "a.wav", "раз")


def test_splits_are_folders_with_metadata_each(tmp_path):
    for split, text in (("train", "раз"), ("test", "два")):
        files(tmp_path, f"{split}/a.wav")
        written(tmp_path / split / "metadata.csv", f"file_name,transcription\na.wav,{text}\n")
    name = tmp_path.stem
    assert found(tmp_path) == [(f"{name}/test/000000", tmp_path / "test/a.wav", "два")]
    assert found(tmp_path, split="train")[0][2] == "раз"
    with pytest.raises(DatasetError, match="has no split 'validation'; there are: test, train"):
        open_dataset(tmp_path, split="validation")


def test_one_table_may_describe_the_splits_folders(tmp_path):
    files(tmp_path, "train/a.wav", "test/a.wav", "test/b.wav")
    lines = ["file_name,text", "train/a.wav,раз", "test/a.wav,два", "test/b.wav,три"]
    written(tmp_path / "metadata.csv", "\n".join(lines))
    assert [text for _, _, text in found(tmp_path)] == ["два", "три"]
    assert [row[0][-12:] for row in found(tmp_path, split="train")] == ["train/000000"]


def test_tables_that_name_no_split_are_one_set(tmp_path):
    for part, text in (("part1", "раз"), ("part2", "два")):
        files(tmp_path, f"{part}/a.wav")
        written(tmp_path / part / "metadata.csv", f"file_name,transcription\na.wav,{text}\n")
    assert [row[0][-7:] for row in found(tmp_path)] == ["/000000", "/000001"]
    assert [row[2] for row in found(tmp_path)] == ["раз", "два"]


def test_a_table_of_no_split_beside_others_is_named(tmp_path, caplog):
    for part in ("train", "test", "extra"):
        files(tmp_path, f"{part}/a.wav")
        written(tmp_path / part / "metadata.csv", f"file_name,transcription\na.wav,{part}\n")
    assert [row[2] for row in found(tmp_path)] == ["test"]
    assert "left out, 1 in all" in caplog.text
    assert "extra" in caplog.text


def release(folder):
    """A release of Common Voice: quotes as they stand, audio in `clips`, a table a split."""
    header = "client_id\tpath\tsentence_id\tsentence\tup_votes\tage\tgender\n"
    for language in ("ru", "tt"):
        files(folder / language, "clips/c_1.mp3", "clips/c_2.mp3")
        for split in ("test", "dev", "validated"):
            rows = (
                f's1\tc_1.mp3\tx\t"Да", {split} {language}\t2\t\tmale\ns2\tc_2.mp3\ty\t"Нет\t2\ttwenties\t\n'
            )
            written(folder / language / f"{split}.tsv", header + rows)
        written(folder / language / "clip_durations.tsv", "clip\tduration[ms]\nc_1.mp3\t1500\n")
        written(folder / language / "reported.tsv", "sentence\tsentence_id\tlocale\treason\n")
    return folder


@pytest.mark.parametrize("inner", ["ru", ""])
def test_a_release_of_common_voice(tmp_path, inner):
    folder = release(tmp_path / "cv-corpus-21.0-2025-03-14")
    options = {} if inner else {"config": "ru"}
    dataset = open_dataset(folder / inner, **options)
    first, second = dataset
    assert (first.reference, second.reference) == ('"Да", test ru', '"Нет')
    assert first.audio == folder / "ru/clips/c_1.mp3"
    assert (first.speaker, second.speaker) == ("s1", "s2")
    assert first.metadata == {"sentence_id": "x", "up_votes": "2", "gender": "male"}
    assert next(u.reference for u in open_dataset(folder / inner, split="validated", **options)) == (
        '"Да", validated ru'
    )
    assert next(u.reference for u in open_dataset(folder / inner, split="dev", **options)) == '"Да", dev ru'
    with pytest.raises(DatasetError, match="no split 'train'; there are: validation, test, validated"):
        open_dataset(folder / inner, split="train", **options)


def test_a_release_asks_for_a_language_and_reads_one_table(tmp_path):
    folder = release(tmp_path / "cv-corpus-21.0")
    with pytest.raises(DatasetError, match="several configurations; there are: ru, tt"):
        open_dataset(folder)
    assert [row[1] for row in found(folder / "ru/validated.tsv")] == [
        folder / "ru/clips/c_1.mp3",
        folder / "ru/clips/c_2.mp3",
    ]


def test_manifests_in_a_folder_are_its_splits_by_their_names(tmp_path):
    files(tmp_path, "a.wav", "b.wav")
    for name, text in (("test_clean", "раз"), ("test_other", "два"), ("train", "три")):
        written(tmp_path / f"{name}.jsonl", json.dumps({"audio_filepath": "a.wav", "text": text}))
    assert found(tmp_path, split="test_other")[0][2] == "два"
    assert found(tmp_path, split="train")[0][2] == "три"
    with pytest.raises(DatasetError, match="no split 'test'; there are: test_clean, test_other, train"):
        open_dataset(tmp_path)


def test_texts_beside_the_audio_win_over_a_table_as_they_did(tmp_path):
    files(tmp_path, "a.wav")
    written(tmp_path / "a.txt", "из текста")
    written(tmp_path / "manifest.csv", "path,text\na.wav,из таблицы\n")
    assert [row[2] for row in found(tmp_path)] == ["из текста"]


def test_a_folder_whose_audio_has_no_texts_is_refused_with_advice(tmp_path):
    files(tmp_path, "a.wav")
    written(tmp_path / "list.csv", "clip,words\na.wav,да\n")
    with pytest.raises(DatasetError, match=r"none with its text.*list.csv.*docs/data.md"):
        open_dataset(tmp_path)


def test_a_set_without_a_reference_is_named_on_the_command_line(tmp_path, capsys, caplog):
    files(tmp_path, "a.wav")
    written(tmp_path / "a.csv", "path,text\na.wav,\n")
    assert main(["datasets", "--dataset", str(tmp_path / "a.csv")]) == 1
    told = caplog.text + capsys.readouterr().err
    assert "has no utterance to score: 1 rows, left out for blank reference: 1" in told
    assert "Traceback" not in told


def test_manifests_deep_inside_are_no_less_splits(tmp_path):
    """As Golos is unpacked: the training manifest lies higher than those of the tests."""
    for place, text in (("train", "учёба"), ("test/crowd", "раз"), ("test/farfield", "два")):
        files(tmp_path, f"{place}/a.wav")
        written(tmp_path / place / "manifest.jsonl", json.dumps({"audio_filepath": "a.wav", "text": text}))
    with pytest.raises(DatasetError, match="no split 'test'; there are: test/crowd, test/farfield, train"):
        open_dataset(tmp_path)
    assert found(tmp_path, split="test/crowd")[0][2] == "раз"
    with pytest.raises(DatasetError, match="no split 'test'; there are: crowd, farfield"):
        open_dataset(tmp_path / "test")
    assert found(tmp_path / "test", split="farfield")[0][2] == "два"


def test_names_of_columns_in_capitals(tmp_path):
    files(tmp_path, "a.wav")
    written(tmp_path / "a.csv", "Path;Text;Start;End;City\na.wav;да;1;2;Казань\n")
    [utterance] = open_dataset(tmp_path / "a.csv")
    assert (utterance.audio.start_s, utterance.reference, utterance.metadata) == (
        1.0,
        "да",
        {"City": "Казань"},
    )
    [utterance] = open_dataset(tmp_path / "a.csv", text_column="Text")
    assert utterance.reference == "да"


def test_the_only_table_is_of_the_split_and_the_language_that_it_names(tmp_path, caplog):
    folder = tmp_path / "speech"
    files(folder, "ru/clips/a.wav")
    written(folder / "ru/test.tsv", "client_id\tpath\tsentence\nanna\ta.wav\tда\n")
    row = ("speech/000000", folder / "ru/clips/a.wav", "да")
    assert found(folder) == found(folder, split="test", config="ru") == [row]
    assert caplog.text == ""
    with pytest.raises(DatasetError, match="has no split 'train'; there are: test"):
        found(folder, split="train")
    with pytest.raises(DatasetError, match="no configuration 'tt'; there are: ru"):
        found(folder, config="tt")


def test_languages_below_a_folder_that_holds_nothing_else(tmp_path):
    for language in ("ru", "tt"):
        files(tmp_path / "cv", f"cv-corpus-21/{language}/clips/a.wav")
        for split in ("test", "dev"):
            written(tmp_path / f"cv/cv-corpus-21/{language}/{split}.tsv", f"path\ttext\na.wav\t{split}\n")
    assert [text for _, _, text in found(tmp_path / "cv", config="ru", split="dev")] == ["dev"]
    with pytest.raises(DatasetError, match="several configurations; there are: ru, tt"):
        found(tmp_path / "cv")


def test_splits_of_a_similar_name_are_told_apart(tmp_path):
    for name in ("test-clean", "test-other"):
        files(tmp_path, f"{name}/a.wav")
        written(tmp_path / name / "metadata.csv", f"file_name,text\na.wav,{name}\n")
    with pytest.raises(DatasetError, match="no split 'test'; there are: test-clean, test-other"):
        found(tmp_path)
    assert [text for _, _, text in found(tmp_path, split="test-other")] == ["test-other"]
