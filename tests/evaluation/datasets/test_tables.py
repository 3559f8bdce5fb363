"""CSV and TSV as they are met with: line ends, quotes, encodings, a bad line."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.datasets.rows import read_text, rows_of
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.audio.manifests.tables import table_of


def cells_of(path):
    _, text = read_text(path, DatasetError)
    return [cells for _, cells in rows_of(path, text, DatasetError)]


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_lines_end_as_on_any_system(tmp_path, end, name):
    mark = "\t" if name == "a.tsv" else ","
    lines = [f"path{mark}text", f"a.wav{mark}раз два", f"b.wav{mark}три"]
    if name == "a.jsonl":
        lines = ['{"path": "a.wav", "text": "раз два"}', '{"path": "b.wav", "text": "три"}']
    expected = [{"path": "a.wav", "text": "раз два"}, {"path": "b.wav", "text": "три"}]
    assert cells_of(written(tmp_path, name, end.join(lines) + end)) == expected
    assert cells_of(written(tmp_path, name, end.join(lines))) == expected


def test_lines_that_end_in_several_ways(tmp_path):
    path = written(tmp_path, "a.csv", "path,text\r\na.wav,раз\nb.wav,два\rc.wav,три\n\n")
    assert [cells["text"] for cells in cells_of(path)] == ["раз", "два", "три"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_excel_writes(tmp_path, encoding):
    path = written(tmp_path, "a.tsv", "path\ttext\r\na.wav\tёлка\r\n".encode(encoding))
    assert cells_of(path) == [{"path": "a.wav", "text": "ёлка"}]


COMMON_VOICE = (
    "client_id\tpath\tsentence\n"
    's1\ta.mp3\t"Да", сказал он\n'
    's1\tb.mp3\t"Открывается, и не закрывается\n'
    "s2\tc.mp3\tЧерез строку\n"
    's2\td.mp3\tзакрывается"\t\n'[:-2]
    + "\n"
    's3\te.mp3\tОн сказал: "нет"\n'
)


def test_quotes_that_are_no_marks_stay_and_swallow_nothing(tmp_path):
    rows = cells_of(written(tmp_path, "a.tsv", COMMON_VOICE))
    assert [(cells["path"], cells["sentence"]) for cells in rows] == [
        ("a.mp3", '"Да", сказал он'),
        ("b.mp3", '"Открывается, и не закрывается'),
        ("c.mp3", "Через строку"),
        ("d.mp3", 'закрывается"'),
        ("e.mp3", 'Он сказал: "нет"'),
    ]


def test_a_quote_that_closes_lines_later_joins_nothing(tmp_path):
    """Read strictly, it is one field of three lines: a row would be lost without a word."""
    text = 'path\ttext\na.wav\t"раз\nb.wav\tдва\nc.wav\tтри"\n'
    assert list(csv.reader(io.StringIO(text), delimiter="\t", strict=True))[1] == [
        "a.wav", "раз\nb.wav\tдва\nc.wav\tтри",
    ]  # fmt: skip
    rows = cells_of(written(tmp_path, "a.tsv", text))
    assert [cells["text"] for cells in rows] == ['"раз', "два", 'три"']


def test_fields_with_line_ends_in_them_are_fields(tmp_path, caplog):
    path = written(tmp_path, "a.csv", 'path,text\na.wav,"раз\nдва"\nb.wav,"он ""сам"""\n')
    assert [cells["text"] for cells in cells_of(path)] == ["раз\nдва", 'он "сам"']
    assert caplog.text == ""
    path = written(tmp_path, "a.csv", 'path,text\na.wav,"раз\nдва, три"\nb.wav,"он ""сам"""\n')
    assert [cells["text"] for cells in cells_of(path)] == ["раз\nдва, три", 'он "сам"']
    assert "2 rows are read, of 3 lines" in caplog.text


def test_one_stray_quote_spoils_no_other_line(tmp_path):
    text = 'path,text\na.wav,"раз, два"\nb.wav,он "сам" сказал\nc.wav,"он ""сам"""\nd.wav,"да" нет\n'
    rows = cells_of(written(tmp_path, "a.csv", text))
    assert [cells["text"] for cells in rows] == ["раз, два", 'он "сам" сказал', 'он "сам"', '"да" нет']


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('path,text\na.wav,да\nb.wav,"да" нет, да\n', "a.csv, line 3: .*double its own"),
        ("path,text\na.wav,да\nb.wav\nc.wav,да\n", "a.csv, line 3: 1 fields under a header of 2"),
        ("path,text\na.wav,да,нет\n", "a.csv, line 2: 3 fields under a header of 2"),
        ("path,text,text\na.wav,да,нет\n", "two columns are named 'text'"),
    ],
)
def test_a_line_that_is_not_certain_is_refused_by_its_number(tmp_path, text, complaint):
    with pytest.raises(DatasetError, match=complaint):
        cells_of(written(tmp_path, "a.csv", text))


def test_names_of_columns_lose_the_spaces_around_them(tmp_path):
    assert cells_of(written(tmp_path, "a.csv", "path, text\na.wav,да\n")) == [{"path": "a.wav", "text": "да"}]


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_whatever_csv_writes_comes_back(tmp_path_factory, rows):
    rows = [("h1", "h2"), *((a.replace("\0", ""), b.replace("\0", "")) for a, b in rows)]
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    found = table_of(tmp_path_factory.getbasetemp(), file.getvalue(), ",", DatasetError)
    assert [tuple(cells.values()) for _, cells in found] == rows[1:]


def test_no_quote_is_said_to_be_taken_as_it_stands_where_it_is_not(tmp_path, caplog):
    caplog.set_level("INFO")
    path = written(tmp_path, "test.csv", 'path,text\na.wav,"Да\nb.wav,вот"\nb.wav,нет\n')
    assert [cells["text"] for cells in cells_of(path)] == ["Да\nb.wav,вот", "нет"]
    assert "fields go over several lines" in caplog.text
    assert "as they stand" not in caplog.text
