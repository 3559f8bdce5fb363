"""Word times from Praat's TextGrid and from CTM."""

import pytest

from evaluation.datasets import DatasetError
from evaluation.datasets.corpora.textgrid import read_textgrid, words_of
from evaluation.datasets.corpora.word_references import read_word_references

LONG = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "TextTier"
        name = "shots"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 0.7
            mark = "x 3 ""y"""
    item [2]:
        class = "IntervalTier"
        name = "phrases"
        xmin = 0
        xmax = 2.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 2.5
            text = "раз два"
    item [3]:
        class = "IntervalTier"
        name = "anna - Words"
        xmin = 0
        xmax = 2.5
        intervals: size = 4
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.25
            text = "раз"
        intervals [3]:
            xmin = 1.25
            xmax = 1.5
            text = "sp"
        intervals [4]:
            xmin = 1.5
            xmax = 2.5
            text = "«два» ""2"""
'''.replace("\n", " \n")  # as Praat ends its lines
SHORT = '''File type = "ooTextFile"
Object class = "TextGrid"

0
2.5
<exists>
3
"TextTier"
"shots"
0
2.5
1
0.7
"x 3 ""y"""
"IntervalTier"
"phrases"
0
2.5
1
0
2.5
"раз два"
"IntervalTier"
"anna - Words"
0
2.5
4
0
0.5
""
0.5
1.25
"раз"
1.25
1.5
"sp"
1.5
2.5
"«два» ""2"""
'''
TIERS = [
    ("phrases", ((0.0, 2.5, "раз два"),)),
    ("anna - Words", ((0.0, 0.5, ""), (0.5, 1.25, "раз"), (1.25, 1.5, "sp"), (1.5, 2.5, '«два» "2"'))),
]


@pytest.fixture
def grid(tmp_path):
    def write(text, encoding="utf-8", name="talk.TextGrid"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom"])
@pytest.mark.parametrize("text", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_both_forms_in_every_encoding(grid, text, encoding, end):
    text = text.replace("\n", end)
    path = grid("\ufeff" + text, "utf-16-be") if encoding == "utf-16-be-bom" else grid(text, encoding)
    assert [(tier.name, tier.intervals) for tier in read_textgrid(path)] == TIERS


def words(path, tier=None):
    return [(word.recording, word.text, word.start_s, word.end_s) for word in words_of(path, tier)]


def test_the_tier_of_words_is_found_or_named(grid):
    simple = LONG.replace('"«два» ""2"""', '"два"')
    path = grid(simple)
    expected = [("talk", "раз", 0.5, 1.25), ("talk", "два", 1.5, 2.5)]
    assert words(path) == words(path, "ANNA - words") == expected
    path = grid(simple.replace("anna - Words", "second"))
    assert words(path, "second") == expected
    with pytest.raises(DatasetError, match="tier 'phrases' has 'раз два' in one interval"):
        words(path)  # the first with a text
    with pytest.raises(DatasetError, match=r"no tier of intervals named 'shots'; .* 'phrases', 'second'"):
        words(path, "shots")
    with pytest.raises(DatasetError, match="no tier of intervals with a text"):
        words(grid(simple.replace('"раз два"', '""').replace('"раз"', '""').replace('"два"', '"<eps>"')))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (LONG.replace('"TextGrid"', '"Sound"'), "is no TextGrid of Praat"),
        ("ooBinaryFile\x08TextGrid", "is a binary TextGrid; save it as a text file"),
        (LONG[: LONG.index("intervals [3]")], "breaks off: a number is missing at its end"),
        (LONG.replace("xmax = 1.25", "xmax = 1,25"), r"line 41: .* where a number should be"),
        (LONG.replace("IntervalTier", "Tier"), "a tier of the kind 'Tier'"),
        ("", "breaks off: a text is missing"),
    ],
)
def test_what_is_no_textgrid(grid, text, complaint):
    with pytest.raises(DatasetError, match=complaint):
        read_textgrid(grid(text))


def test_cp1251_is_refused(grid):
    with pytest.raises(DatasetError, match="is neither UTF-8 nor UTF-16"):
        read_textgrid(grid(SHORT.replace("«два»", "два"), "cp1251"))


def test_a_folder_of_word_times(grid, tmp_path):
    simple = LONG.replace('"«два» ""2"""', '"два"')
    grid(simple, name="refs/a.TextGrid")
    grid(simple, name="refs/more/b.textgrid")
    grid("c 1 1.0 0.5 два\nc 1 0.0 0.5 раз\n", name="refs/c.ctm")
    found = read_word_references(tmp_path / "refs")
    assert {name: [word.text for word in each] for name, each in found.items()} == {
        "a": ["раз", "два"],
        "b": ["раз", "два"],
        "c": ["раз", "два"],
    }
    grid(simple, name="refs/again/a.TextGrid")
    with pytest.raises(DatasetError, match=r"words of 'a' were in .* already; keep one file"):
        read_word_references(tmp_path / "refs")


def test_word_times_that_are_none(grid, tmp_path):
    with pytest.raises(DatasetError, match=r"there are no word times .*gone"):
        read_word_references(tmp_path / "gone")
    with pytest.raises(DatasetError, match=r"holds no word times; known are \.ctm and \.TextGrid"):
        read_word_references(grid("", name="a.txt"))
    with pytest.raises(DatasetError, match=r"holds no word$"):
        read_word_references(grid(";; nothing\n", name="a.ctm"))
    with pytest.raises(DatasetError, match="'a' has words on the channels A, B"):
        read_word_references(grid("a A 0 1 да\na B 0 1 нет\n", name="a.ctm"))
