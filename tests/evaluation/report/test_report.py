"""The report holds what it should, escapes what it shows, fetches nothing; it stands when little is known."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from evaluation.records.files import Record
from evaluation.report import write_report
from evaluation.report.account import warnings
from evaluation.report.alignment import alignment_html, alignment_text
from evaluation.report.html import audio_type
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.metrics import alignment
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file

NASTY = '<script>alert("1")</script> & "x" | `y` *z* [a](http://b)'
VOID = {"meta", "wbr", "path", "use", "rect", "line", "br", "image"}


class Page(HTMLParser):
    """Collects tags, attributes and text; notices tags that are not closed in order."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = [], [], [], []
        self.feed(content)
        assert self.open == []
        self.shown = " ".join(self.text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text.append(data)


def pages(files, directory, **options):
    html_path, markdown_path = write_report(files, directory, n_resamples=100, **options)
    return Page(html_path.read_text("utf-8")), markdown_path.read_text("utf-8")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    machine = {"cpu": "Z80", "cores": 2}
    files = [
        noisy_file(60, seed=1, system="первая", machine=machine, command="python -m x",
                   versions={"numpy": "9"}),
        noisy_file(60, seed=2, system="вторая", machine=machine, versions={"numpy": "9"}, findings=(
            {"id": "u90", "reason": "blank reference", "excluded": True, "same_as": None},
            {"id": "u91", "reason": "blank reference", "excluded": True, "same_as": None},
            {"id": "u00007", "reason": "duplicate", "excluded": False, "same_as": "u00001"},
        )),
    ]  # fmt: skip
    snr = {record.id: float(number % 3) for number, record in enumerate(files[0].records)}
    directory = tmp_path_factory.mktemp("report")
    return *pages(files, directory, snr_db=snr), directory


def test_it_holds_every_section(written):
    page, markdown, _ = written
    titles = [
        "Summary", "Differences", "Normalisation", "Length, duration, noise and error rate", "Confidence",
        "Commonest errors", "Worst utterances", "Speed", "Size of the set", "Failures, exclusions",
        "What was run", "Method",
    ]  # fmt: skip
    for title in titles:
        assert title in page.shown
        assert f"## {title}" in markdown
    assert page.tags.count("svg") == 11


def test_it_fetches_nothing(written):
    page, _, _ = written
    for name, value in page.attributes:
        if name in {"src", "href", "xlink:href", "data", "action", "poster", "srcset"}:
            assert value.startswith(("#", "data:"))
        assert not re.search(r"url\((?!#)", value or "")
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:") in (
        page.attributes
    )


def test_no_two_elements_share_an_id_and_every_link_has_its_end(written):
    page, _, _ = written
    ids = [value for name, value in page.attributes if name == "id"]
    links = {value[1:] for name, value in page.attributes if name == "href" and value.startswith("#")}
    assert len(ids) == len(set(ids))
    assert links <= set(ids)


def test_exclusions_are_counted_and_named_in_both(written):
    page, markdown, _ = written
    for text in (page.shown, markdown):
        for what in ("blank reference", "u90", "u91", "left out", "same as u00001", "kept"):
            assert what in text


def test_it_says_what_was_run_and_how_it_was_counted(written):
    page, markdown, _ = written
    for text in (page.shown, markdown):
        for what in ("Z80", "python -m x", "numpy", "jackknife", "Student's t", "normaliser", "jiwer"):
            assert what in text


def test_the_plots_of_the_markdown_lie_beside_it(written):
    _, markdown, directory = written
    paths = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", markdown)
    assert len(paths) == 11
    assert all((directory / path).read_text("utf-8").startswith("<svg") for path in paths)


def test_texts_from_outside_are_escaped(tmp_path):
    files = [
        file_of((NASTY, "да"), ("да", NASTY), Record(id=NASTY, reference="да", hypothesis=None, error=NASTY),
                system=NASTY, dataset={"name": NASTY, NASTY: NASTY}, command=NASTY, machine={NASTY: NASTY}),
        file_of((NASTY, "нет"), ("да", "да"), Record(id=NASTY, reference="да", hypothesis="да"),
                system="B", dataset={"name": "B"}),
    ]  # fmt: skip
    page, markdown = pages(files, tmp_path)
    assert "script" not in page.tags
    assert 'alert("1")' in page.shown
    outside_of_code = re.sub(r"(?m)^(`{3,})text\n.*?\n\1$", "", markdown, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<script", outside_of_code)


def test_the_alignment_shows_each_error_with_its_own_mark():
    chunks = alignment("а б в <i> г", "а х <i> г да")
    shown = alignment_html(chunks)
    assert "<i>" not in shown
    assert shown.count('class="pair"') == 3
    for kind in ("substitute", "delete", "insert"):
        assert shown.count(f'class="pair {kind}"') == 1
    assert alignment_text(chunks).splitlines()[2].split() == ["S", "D", "I"]
    assert alignment_html([]).startswith("<div")


@pytest.mark.slow
def test_differences_between_the_runs_are_warned_of_at_the_top(tmp_path):
    files = [
        noisy_file(30, system="A", machine={"cpu": "X"}, dataset={"name": "один", "revision": "1"}),
        noisy_file(20, system="B", machine={"cpu": "Y"}, finished=False,
                   dataset={"name": "один", "revision": "2", "n_expected": 30}),
    ]  # fmt: skip
    page, markdown = pages(files, tmp_path)
    for text in (page.shown, markdown):
        top = text[: text.index("Error rates under profile")]
        assert "Different dataset revisions: A: 1; B: 2." in top
        assert "cpu: X" in top
        assert "B did not come to its end: 20 of 30 utterances" in top
    assert re.search(r"A\.jsonl lacks 0 of the 20 .* lacks 10 of its 30", page.shown)


def test_failures_are_listed_and_warned_of(tmp_path):
    page, markdown = pages([file_of(("да", "да"), ("два слова", None))], tmp_path)
    for text in (page.shown, markdown):
        assert "failed on 1 utterance; its words count as deleted" in text
        assert "Failed: 1 utterance, its words deleted" in text


def test_audio_is_inside_once_and_only_what_browsers_play(tmp_path):
    sounds = {"u0": b"RIFF\0\0\0\0WAVEfmt ", "u1": b"\0\0\0\0", "u2": b"fLaC" + bytes(9_000_000)}
    files = [
        file_of(("а б", "х у"), ("в", "г"), ("д", "е"), system="A"),
        file_of(("а б", "а б"), ("в", "в"), ("д", "д"), system="B"),
    ]
    page, _ = pages(files, tmp_path, audio=sounds.get)
    [source] = [value for name, value in page.attributes if name == "src"]
    assert source == "data:audio/wav;base64," + base64.b64encode(sounds["u0"]).decode()


def test_audio_is_found_where_records_name_it(tmp_path, clips):
    record = Record(id="u0", reference="да", hypothesis="нет", audio=str(clips[0].path))
    gone = Record(id="u1", reference="да", hypothesis="нет", audio=str(tmp_path / "gone.wav"))
    page, _ = pages([file_of(record, gone)], tmp_path)
    assert [value[:16] for name, value in page.attributes if name == "src"] == ["data:audio/flac;"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"OggS", "audio/ogg"), (b"\0\0\0 ftypM4A ", "audio/mp4"), (b"ID3", "audio/mpeg"), (b"", None)],
)
def test_containers_are_known_by_how_they_begin(content, kind):
    assert audio_type(content) == kind


@pytest.mark.slow
@pytest.mark.parametrize(
    "records",
    [
        (),
        (("да", "нет"),),
        (("…", ""), ("—", "да")),
        (Record(id="1", reference="да", hypothesis=None), Record(id="2", reference="нет", hypothesis=None)),
        (("да", "да"), ("нет", "нет")),
    ],
    ids=["none", "one", "no words", "all failed", "no error"],
)
@pytest.mark.parametrize("n_systems", [1, 2])
def test_what_is_not_known_is_a_dash(tmp_path, records, n_systems):
    files = [file_of(*records, system=f"система {number}", dataset={}) for number in range(n_systems)]
    page, markdown = pages(files, tmp_path)
    for text in (page.shown, markdown):
        assert not re.search(r"\bnan\b|\bNaN\b|\bNone\b", text)
        assert "–" in text


@pytest.mark.slow
def test_four_systems_are_each_compared_with_the_first(tmp_path):
    files = [noisy_file(25, seed=seed, system=f"s{seed}") for seed in range(4)]
    page, _ = pages(files, tmp_path)
    assert [page.shown.count(f"s{i} against s0") for i in range(1, 4)] == [1, 1, 1]


def test_a_report_of_nothing_is_refused(tmp_path):
    with pytest.raises(ScoreError, match="at least one"):
        write_report([], tmp_path)


def test_the_top_warns_where_the_verdict_is_about_writing(tmp_path):
    texts = "поставь канал пять", "включи второй сезон", "сделай тише на десять", "найди кино"
    records = [Record(id=f"u{i}", reference=texts[i % 4], hypothesis=texts[i % 4]) for i in range(60)]
    latin = [replace(one, hypothesis=one.hypothesis.replace("кино", "kino")) for one in records]
    page, markdown = pages([file_of(*records, system="A"), file_of(*latin, system="B")], tmp_path)
    top = markdown.split("## Summary")[0]
    assert "In word error rate A is better by" in top
    assert "> **Warning:** The verdict depends on ways of writing: " in top
    assert "The verdict depends on ways of writing: " in page.shown


@pytest.mark.slow
def test_several_comparisons_say_what_is_corrected(tmp_path):
    files = [noisy_file(60, seed=i, system=f"s{i}") for i in range(3)]
    page, _ = pages(files, tmp_path)
    assert "among 3 of them one may lie beside 0 by chance" in page.shown
    assert page.shown.count("each verdict by its interval alone") == 3
    assert "Differences says which differences are more than chance" in page.shown
    alone, _ = pages(files[:2], tmp_path)
    assert "beside 0 by chance" not in alone.shown
    assert "interval alone" not in alone.shown


def test_tables_by_length_say_how_their_intervals_are_made(written):
    _, markdown, _ = written
    section = markdown.split("## Length")[1].split("\n## ")[0]
    assert "Intervals over" in section


def test_a_section_of_sentences_alone_names_no_method(tmp_path):
    records = [Record(id=f"u{i}", reference="да нет", hypothesis="да нет") for i in range(20)]
    _, markdown = pages([file_of(*records)], tmp_path)
    section = markdown.split("## Punctuation")[1].split("\n## ")[0]
    assert "The references have no punctuation" in section
    assert "Intervals" not in section


@pytest.mark.parametrize(
    ("n", "n_speakers", "told"),
    [
        (24, 2, "Only 2 speakers: no interval is given, which takes 3 or more."),
        (24, 3, "Only 3 speakers: the intervals rest on their differences alone."),
        (2, 0, "Only 2 utterances: neither intervals of the error rates nor verdicts are given."),
        (19, 0, "Only 19 utterances: intervals are wide, and no verdict is given."),
    ],
)
def test_a_warning_says_no_more_than_there_is(n, n_speakers, told):
    assert told in warnings({"A": score(noisy_file(n, n_speakers=n_speakers))})


def test_the_headline_is_a_sentence_where_no_reference_has_a_word(tmp_path):
    files = [file_of(*[("", "да" * (i % 2)) for i in range(30)], system=name) for name in "AB"]
    page, _ = pages(files, tmp_path)
    assert "There are no rates to compare: the references have no words." in page.shown
