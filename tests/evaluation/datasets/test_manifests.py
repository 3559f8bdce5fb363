"""Local manifests and folders: what they hold, and what is said of a broken one."""

import hashlib
import json

import pytest

from evaluation.datasets.manifests import read_folder, read_manifest
from evaluation.datasets.named import open_dataset
from evaluation.datasets.utterances import DatasetError


@pytest.fixture
def folder(tmp_path):
    """Two files that pass for audio: nothing here decodes them."""
    (tmp_path / "clips").mkdir()
    for name in ("clips/a.wav", "clips/b.wav"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(path, **columns):
    source, _ = read_manifest(path, **columns)
    return list(source.rows(None))


JSONL = (
    '{"audio_filepath": "clips/a.wav", "duration": 1.5, "text": "раз\u2028два", "speaker": 7}\n'
    "\n"
    '{"audio_filepath": "clips/b.wav", "text": null}\n'
)


def test_jsonl_as_nemo_writes_it(folder):
    first, second = rows_of(write(folder, "test.jsonl", JSONL))
    assert (first.number, first.key, first.reference) == (0, "000000", "раз\u2028два")
    assert (first.audio, first.file_name) == (folder / "clips/a.wav", "clips/a.wav")
    assert (first.speaker, first.duration_s) == ("7", 1.5)
    assert (second.number, second.reference, second.speaker, second.duration_s) == (1, None, None, None)


def test_a_json_list_of_the_same(folder):
    entries = [json.loads(line) for line in JSONL.split("\n") if line]
    assert rows_of(write(folder, "a.json", json.dumps(entries))) == rows_of(write(folder, "b.jsonl", JSONL))


@pytest.mark.parametrize(("suffix", "mark"), [(".csv", ","), (".tsv", "\t")])
def test_tables_with_quotes_and_a_byte_order_mark(folder, suffix, mark):
    lines = [
        ["path", "sentence", "client_id"],
        ["clips/a.wav", '"раз, ""два"""', "s1"],
        ["clips/b.wav", "", ""],
    ]
    text = "\ufeff" + "\r\n".join(mark.join(fields) for fields in lines) + "\r\n"
    first, second = rows_of(write(folder, f"test{suffix}", text))
    assert (first.reference, first.speaker) == ('раз, "два"', "s1")
    assert (second.reference, second.speaker) == ("", None)


def test_a_csv_as_excel_writes_it_in_russian(folder):
    path = write(folder, "test.csv", '\ufeffpath;text\r\nclips/a.wav;"раз, два; три, пять"\r\n')
    [row] = rows_of(path)
    assert (row.file_name, row.reference) == ("clips/a.wav", "раз, два; три, пять")
    [row] = rows_of(write(folder, "test.csv", "path\ttext\nclips/a.wav\tраз, два\n"))
    assert row.reference == "раз, два"


def test_a_row_without_audio_is_left_out_and_counted(folder):
    lines = [{"audio_filepath": path, "text": "да"} for path in ("gone.wav", "clips/a.wav", "", None)]
    path = write(folder, "test.jsonl", "\n".join(map(json.dumps, lines)))
    dataset = open_dataset(path)
    assert [utterance.id for utterance in dataset] == ["test/000001"]
    assert [(finding.id, finding.reason, finding.excluded) for finding in dataset.findings] == [
        (f"test/00000{i}", "no audio", True) for i in (0, 2, 3)
    ]
    assert dataset.n_rows == 4


def test_a_manifest_none_of_whose_files_is_there_is_refused(folder):
    path = write(folder, "test.csv", "path,text\n,да\nsub/x.wav,да\ny.wav,нет\n")
    complaint = f"not one of its 3 rows .*the first one is 'sub/x.wav'. Paths are relative to '{folder}'"
    with pytest.raises(DatasetError, match=complaint):
        read_manifest(path)


def test_columns_by_name(folder):
    path = write(folder, "test.csv", "text,spoken,wav\n5 руб,пять рублей,clips/a.wav\n")
    [row] = rows_of(path, audio_column="wav", text_column="spoken")
    assert row.reference == "пять рублей"


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        (
            "a.jsonl",
            '{"audio_filepath": "clips/a.wav", "text": "да"}\n{"text": \n',
            "a.jsonl, line 2: not JSON",
        ),
        ("a.jsonl", '{"audio_filepath": "clips/a.wav", "text": "да"}\n[1]\n', "line 2: not a JSON object"),
        ("a.jsonl", '{"audio_filepath": "clips/a.wav"}\n', "line 1: no column with a usual name"),
        ("a.jsonl", '{"audio_filepath": "clips/a.wav", "text": 5}\n', "line 1: the reference 5 is no text"),
        ("a.jsonl", '{"audio_filepath": 5, "text": "да"}\n', "line 1: 5 is no path"),
        ("a.jsonl", '{"audio_filepath": "", "text": "да"}\n', "not one of its 1 rows .*paths are empty"),
        ("a.json", "[7]", "a.json, item 1: not a JSON object"),
        ("a.csv", "audio,text\nclips/a.wav,да\nclips/b.wav\n", "a.csv, line 3: 1 fields under a header of 2"),
        ("a.csv", 'audio,text\nclips/a.wav,"да" нет, да\n', "a.csv, line 2: .*double its own"),
        ("a.tsv", 'audio\ttext\nclips/a.wav\t"да\t\n', "a.tsv, line 2: "),
        ("a.csv", "wav,text\nclips/a.wav,да\n", "there are: wav, text"),
    ],
)
def test_a_broken_manifest_is_named_with_its_line(folder, name, text, complaint):
    with pytest.raises(DatasetError, match=complaint):
        read_manifest(write(folder, name, text))


def test_a_named_column_that_is_not_there(folder):
    with pytest.raises(
        DatasetError, match="no column named 'spoken' for the reference; there are: audio_filepath"
    ):
        read_manifest(write(folder, "a.jsonl", JSONL), text_column="spoken")


def test_another_encoding_is_refused(folder):
    (folder / "a.csv").write_bytes("audio,text\nclips/a.wav,да\n".encode("cp1251"))
    with pytest.raises(DatasetError, match=r"a\.csv is not UTF-8"):
        read_manifest(folder / "a.csv")


def test_the_fingerprint_is_of_the_content(folder):
    first, second = write(folder, "a.jsonl", JSONL), write(folder, "b.jsonl", JSONL.replace("раз", "три"))
    assert read_manifest(first)[1] == read_manifest(first)[1] != read_manifest(second)[1]


def test_the_fingerprint_covers_the_audio(folder):
    path = write(folder, "a.jsonl", JSONL)
    write(folder, "clips/a.txt", "раз")
    before = read_manifest(path)[1], read_folder(folder)[1]
    (folder / "clips/b.wav").write_bytes(b"something longer")
    after = read_manifest(path)[1], read_folder(folder)[1]
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert before[0].split(",")[0] == after[0].split(",")[0] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_folder_in_the_order_of_its_paths(folder):
    write(folder, "clips/b.txt", "два\n")
    write(folder, "clips/c.txt", "три")
    write(folder, "z.txt", "последний")
    (folder / "z.FLAC").write_bytes(b"z")
    source, fingerprint = read_folder(folder)
    found = [(row.number, row.key, row.audio, row.reference) for row in source.rows(None)]
    assert found == [
        (0, "clips/a.wav", folder / "clips/a.wav", None),
        (1, "clips/b.wav", folder / "clips/b.wav", "два"),
        (2, "clips/c.txt", None, "три"),
        (3, "z.FLAC", folder / "z.FLAC", "последний"),
    ]
    write(folder, "z.txt", "другой")
    assert read_folder(folder)[1] != fingerprint


def test_a_folder_without_audio_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="holds no audio file"):
        read_folder(tmp_path)


def test_paths_that_are_none_and_one_of_the_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    names = ["clips/a.wav", "x" * 5000 + ".wav", "a\0.wav", "https://host.example/a.wav", "~/clips/b.wav"]
    lines = [json.dumps({"audio_filepath": name, "text": "раз"}) for name in names]
    path = write(folder, "test.jsonl", "\n".join(lines))
    there = [folder / "clips/a.wav", None, None, None, folder / "clips/b.wav"]
    assert [row.audio for row in read_manifest(path)[0].rows(None)] == there


@pytest.mark.parametrize(
    "value", ['"\\ud83d да"', "[" * 100_000 + "]" * 100_000], ids=["half a pair", "deep"]
)
def test_json_that_nobody_could_write_down_is_refused_by_its_line(folder, value):
    path = write(folder, "test.jsonl", '{"audio_filepath": "a.wav", "text": ' + value + "}")
    with pytest.raises(DatasetError, match="line 1: not JSON"):
        open_dataset(path)


def test_a_pair_of_surrogates_is_one_character(folder):
    path = write(folder, "test.jsonl", r'{"audio_filepath": "a.wav", "text": "\ud83d\ude00 да"}')
    assert [row.reference for row in read_manifest(path)[0].rows(None)] == ["\U0001f600 да"]


def test_speakers_that_pandas_wrote_as_missing_are_none(folder):
    line = '{"audio_filepath": "a.wav", "text": "да", "speaker": NaN, "duration": NaN}'
    [row] = read_manifest(write(folder, "test.jsonl", line))[0].rows(None)
    assert (row.speaker, row.duration_s, row.metadata) == (None, None, {})
