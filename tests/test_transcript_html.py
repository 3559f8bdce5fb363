"""What shows itself in a notebook: a fragment of HTML, its texts escaped, whatever they hold."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from gigastt_lab import Transcript, Word
from gigastt_lab.transcript_html import transcript_html
from gigastt_lab.types import AudioWarning

NASTY = '<script>alert("1")</script>&"\''


class Fragment(HTMLParser):
    """Collects tags, titles and text; notices tags that are not closed in order."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.titles, self.styles, self.open, self.text = [], [], [], [], ""
        self.feed(content)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.titles += [value for name, value in attrs if name == "title"]
        self.styles += [value for name, value in attrs if name == "style" and tag == "span"]
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def shown(*words, duration_s=2.0):
    return Fragment(Transcript(words, duration_s)._repr_html_())


def test_words_with_their_times_and_confidences():
    fragment = shown(Word("Привет,", 0.04, 0.44, 0.97), Word("мир.", 0.52, 0.96, 0.55))
    assert "Привет, мир." in fragment.text
    assert "2 words in 2.00 s of audio; mean confidence 0.76" in fragment.text
    assert fragment.titles == ["0.04 to 0.44 s, confidence 0.97", "0.52 to 0.96 s, confidence 0.55"]


def test_unsure_words_differ_in_shape_and_the_shapes_are_explained():
    sure = shown(Word("да", 0.0, 0.1, 0.95))
    assert (sure.styles, "underlined" in sure.text) == ([], False)
    unsure = shown(Word("да", 0.0, 0.1, 0.95), Word("нет", 0.2, 0.3, 0.7), Word("не", 0.4, 0.5, 0.3))
    assert ["dotted" in style for style in unsure.styles] == [True, False]
    assert "double" in unsure.styles[1]
    assert "dotted: below 0.9" in unsure.text


def test_texts_are_escaped():
    content = Transcript((Word(NASTY, 0.0, 0.1, 0.5),), 1.0)._repr_html_()
    assert "<script" not in content
    assert NASTY in Fragment(content).text


def test_nothing_was_said():
    assert "no speech was recognised" in shown().text
    assert "0 words in 2.00 s of audio" in shown().text


@pytest.mark.parametrize(("n", "more"), [(1_000, None), (12_500, "and 11,500 more words")])
def test_of_a_long_recording_the_beginning(n, more):
    word = Word("да", 0.0, 0.1, 0.95)
    content = transcript_html([word] * n, 3_600.0)
    assert len(content) < 100_000
    assert Fragment(content).tags.count("span") == 1_000
    assert "more words" not in content if more is None else more in content


def test_warnings_of_the_file_are_shown_and_escaped():
    transcript = Transcript((), 2.0, warnings=(AudioWarning("cut", f"it ends at 2 s {NASTY}", 2.0),))
    assert f"it ends at 2 s {NASTY}" in Fragment(transcript._repr_html_()).text
