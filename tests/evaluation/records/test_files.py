"""Record files: what is written is what is read; what is broken is named."""

import json
import math
from dataclasses import replace

import pytest

from evaluation.records.files import End, Header, Record, RecordError, line_of, load, read, write

HEADER = Header(
    system="demo",
    system_info={"model": "gigaam-demo", "files": {"a.onnx": "00"}, "threads": 2},
    dataset={"name": "texts", "revision": "r1", "n_expected": None},
    command="python -m …",
    started="2026-01-01T00:00:00+00:00",
)
RECORDS = (
    Record(
        id="texts/1",
        reference='раз\u2028два "три" \\ «четыре»\x85',
        hypothesis="Раз\r\nдва\t\x1c",
        audio_s=1.5,
        work_s=0.25,
        words=(("Раз", 0.04, 0.4, 0.5), ("два", 0.4, 0.8, 1.0)),
        n_tokens=7,
    ),
    Record(id="texts/2", reference="пусто", hypothesis=""),
    Record(id="texts/3", reference="сломано", error="AudioError: not audio"),
)
END = End(n_rows=4, findings=({"id": "texts/0", "reason": "blank reference", "excluded": True},))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.jsonl"
    write(path, HEADER, RECORDS, END)
    return path


def test_what_is_written_is_read(path):
    file = read(path)
    assert (file.header, file.records, file.end) == (HEADER, RECORDS, END)
    assert file.n_bytes == path.stat().st_size
    lines = path.read_text(encoding="utf-8").split("\n")  # every line is JSON, for whoever reads it
    assert [next(iter(json.loads(line))) for line in lines[:-1]] == ["header", *["record"] * 3, "end"]
    assert not list(path.parent.glob("*.partial"))


def test_half_a_surrogate_pair_comes_back(path):
    record = Record(id="a", reference="а", hypothesis="а\ud83d", words=(("\udc00", 0.0, 0.1, 0.2),))
    write(path, HEADER, [record])
    assert read(path).records == (record,)
    path.read_text(encoding="utf-8")


def test_an_empty_hypothesis_is_not_a_missing_one(path):
    assert [record.hypothesis for record in read(path).records[1:]] == ["", None]


@pytest.mark.parametrize("n_bytes", [1, 20, -1])
def test_a_line_that_was_broken_off_is_none(path, n_bytes):
    write(path, HEADER, RECORDS[:2])
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(line_of(RECORDS[2])[:n_bytes])
    found = read(path)
    assert (found.records, found.end, found.n_bytes) == (RECORDS[:2], None, size)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"garbage\n", r"a\.jsonl, line 3 is no record"),
        (b"\n", "line 3 is no record"),
        (b"[1, 2]\n", "line 3 is no record"),
        (b"{}\n", "line 3 is no record"),
        (b'{"record": {"id": "x"}}\n', "line 3 is no record .*reference"),
        (b'{"record": {"id": "x", "reference": "y", "colour": 1}}\n', "line 3 is no record .*colour"),
        (b'{"record": {"id": "x", "reference": "y", "words": 5}}\n', "line 3 is no record"),
        (b'{"record": "\xff"}\n', "line 3 is no record"),
        (line_of(HEADER), "line 3: Header is out of place"),
        (line_of(END), "line 4: Record is out of place"),
    ],
)
def test_a_line_that_is_no_record_is_named(path, line, complaint):
    path.write_bytes(line_of(HEADER) + line_of(RECORDS[0]) + line + line_of(RECORDS[1]))
    with pytest.raises(RecordError, match=complaint):
        read(path)


@pytest.mark.parametrize("content", [b"", line_of(HEADER)[:-1]])
def test_without_a_header_it_is_no_record_file(path, content):
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"has no header.*run it anew"):
        read(path)


def test_records_before_a_header_are_out_of_place(path):
    path.write_bytes(line_of(RECORDS[0]))
    with pytest.raises(RecordError, match="line 1: Record is out of place"):
        read(path)


def test_a_newer_format_is_refused(path):
    path.write_bytes(line_of(HEADER).replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(RecordError, match="is of format 2, and this version reads 1"):
        read(path)


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_what_cannot_be_read_is_an_error(tmp_path, name):
    with pytest.raises(RecordError, match="cannot be read"):
        read(tmp_path / name)


@pytest.mark.parametrize("where", ["no-such-folder/a.jsonl", "folder"])
def test_what_cannot_be_written_is_an_error(tmp_path, where):
    (tmp_path / "folder").mkdir()
    with pytest.raises(RecordError, match=f"{where} cannot be written"):
        write(tmp_path / where, HEADER, RECORDS)
    assert not list(tmp_path.rglob("*.partial"))


def test_a_full_disk_leaves_the_old_file(path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evaluation.records.files.os.fsync", full)
    with pytest.raises(RecordError, match=r"a\.jsonl cannot be written \(No space left on device\)"):
        write(path, HEADER, ())
    assert read(path).records == RECORDS
    assert not list(path.parent.glob("*.partial"))


MACHINE = {"cpu": "X", "os": "Linux 6.1.0 glibc 2.36", "gpus": ["NVIDIA Y, 81920 MiB, 550.1"]}
VERSIONS = {"numpy": "2.0", "jiwer": "4.0", "rapidfuzz": "3.0", "datasets": "4.0"}


@pytest.mark.parametrize(
    ("changed", "is_same"),
    [
        ({"normalizer": "2"}, True),
        ({"versions": VERSIONS | {"jiwer": "5.0", "rapidfuzz": "4.0", "datasets": "5.0"}}, True),
        ({"versions": {"numpy": "2.0"}}, True),
        ({"versions": VERSIONS | {"numpy": "2.1"}}, False),
        ({"machine": MACHINE | {"os": "Linux 6.6.1-amd64 glibc 2.36"}}, True),
        ({"machine": MACHINE | {"os": "Linux 6.1.0 glibc 2.38"}}, False),
        ({"machine": MACHINE | {"gpus": ["NVIDIA Y, 81559 MiB, 570.2"], "memory_gib": 3.8}}, True),
        ({"machine": MACHINE | {"gpus": ["NVIDIA Z, 81920 MiB, 550.1"]}}, False),
        ({"machine": MACHINE | {"gpus": []}}, False),
        ({"machine": MACHINE | {"cpu": "Z"}}, False),
    ],
)
def test_only_what_can_change_a_record_has_to_agree(changed, is_same):
    header = Header(system="a", versions=VERSIONS, machine=MACHINE, normalizer="1")
    assert (replace(header, **changed).identity() == header.identity()) == is_same


def test_a_table_has_a_row_per_utterance(path):
    table = load(str(path))
    assert list(table.index) == ["texts/1", "texts/2", "texts/3"]
    assert table.index.name == "id"
    assert table.loc["texts/1", "confidence"] == 0.75
    assert table.loc["texts/1", "hypothesis"] == RECORDS[0].hypothesis
    assert table["n_tokens"].iloc[0] == 7
    assert math.isnan(table.loc["texts/2", "confidence"])
    assert table.attrs["header"]["system_info"]["threads"] == 2


def test_a_table_of_no_records_has_its_columns(path):
    full = load(path)
    write(path, HEADER, [])
    empty = load(path)
    assert list(empty.columns) == list(full.columns)
    assert len(empty) == 0


def test_other_columns_of_the_dataset_are_columns_of_the_table(tmp_path):
    records = [
        Record(id="a", reference="да", metadata={"city": "Казань", "hypothesis": "из набора"}),
        Record(id="b", reference="нет", metadata={"device": "телефон"}),
    ]
    write(tmp_path / "a.jsonl", Header(system="s"), records)
    table = load(tmp_path / "a.jsonl")
    assert "metadata" not in table
    assert list(table["city"].fillna("")) == ["Казань", ""]
    assert list(table["device"].fillna("")) == ["", "телефон"]
    assert list(table["metadata.hypothesis"].fillna("")) == ["из набора", ""]
    assert read(tmp_path / "a.jsonl").records == tuple(records)
