import json
import re
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigastt_lab.errors import GigasttError
from gigastt_lab.formats import (
    FORMATS,
    PARAGRAPHS,
    SUBTITLES,
    Format,
    FormatError,
    SegmentOptions,
    as_json_object,
    render,
    segments,
)
from gigastt_lab.types import AudioWarning, Transcript, Word

EMPTY = Transcript((), 0.0)


def spoken(text, start=0.0, word_s=0.3, gap_s=0.1):
    """The words of `text`, each `word_s` long and `gap_s` apart; `|` adds a second of silence."""
    words = []
    for piece in text.split():
        if piece == "|":
            start += 1.0
        else:
            words.append(Word(piece, start, start + word_s, 0.9))
            start += word_s + gap_s
    return tuple(words)


def texts(words, options=SUBTITLES):
    return [segment.text for segment in segments(words, options=options)]


def transcript(words):
    return Transcript(tuple(words), words[-1].end)


# --- Exact files -------------------------------------------------------------------------------

GREETING = Transcript(
    (
        Word("Привет,", 0.2, 0.64, 0.98),
        Word("как", 0.72, 0.88, 0.95),
        Word("дела?", 0.88, 1.28, 1.0),
        # A long silence; then words across the full minute, with characters that formats must escape.
        Word("R&D", 59.2, 59.9996, 0.5),
        Word("<b>", 60.04, 60.2, 0.5),
        Word("-->", 60.2, 60.4, 0.5),
    ),
    61.23456,
)

FILES = {
    "txt": "Привет, как дела? R&D <b> -->\n",
    "json": '{"text": "Привет, как дела? R&D <b> -->", "words": ['
    '{"word": "Привет,", "start": 0.2, "end": 0.64, "confidence": 0.98}, '
    '{"word": "как", "start": 0.72, "end": 0.88, "confidence": 0.95}, '
    '{"word": "дела?", "start": 0.88, "end": 1.28, "confidence": 1.0}, '
    '{"word": "R&D", "start": 59.2, "end": 60.0, "confidence": 0.5}, '
    '{"word": "<b>", "start": 60.04, "end": 60.2, "confidence": 0.5}, '
    '{"word": "-->", "start": 60.2, "end": 60.4, "confidence": 0.5}], "duration": 61.235}\n',
    "srt": """\
1
00:00:00,200 --> 00:00:01,280
Привет, как дела?

2
00:00:59,200 --> 00:01:00,400
R&D <b> -->
""",
    "vtt": """\
WEBVTT

00:00:00.200 --> 00:00:01.280
Привет, как дела?

00:00:59.200 --> 00:01:00.400
R&amp;D &lt;b&gt; --&gt;
""",
    "md": r"""# Transcript

**00:00:00** Привет, как дела?

**00:00:59** R\&D \<b\> --\>
""",
}

EMPTY_FILES = {
    "txt": "",
    "json": '{"text": "", "words": [], "duration": 0.0}\n',
    "srt": "",
    "vtt": "WEBVTT\n",
    "md": "# Transcript\n",
}


def test_every_format_has_a_function_and_an_expected_file():
    assert get_args(Format) == tuple(FORMATS) == tuple(FILES) == tuple(EMPTY_FILES)


@pytest.mark.parametrize("name", FORMATS)
def test_files(name):
    assert render(GREETING, name) == FILES[name]


@pytest.mark.parametrize("name", FORMATS)
def test_files_without_words(name):
    assert render(EMPTY, name) == EMPTY_FILES[name]


def test_unknown_format_names_the_known_ones():
    with pytest.raises(
        ValueError, match="unknown format 'docx'; choose one of txt, json, srt, vtt, md"
    ) as raised:
        render(EMPTY, "docx")
    assert isinstance(raised.value, GigasttError)


def test_json_object_is_what_the_server_answers():
    assert as_json_object(GREETING) == json.loads(render(GREETING, "json"))


def test_markdown_has_no_formatting_of_its_own():
    words = spoken(r"*a* _b_ `c` [d](e) \f ~g~ $h$ i|j &amp; <k>")
    page = render(transcript(words), "md")
    assert r"\*a\* \_b\_ \`c\` \[d\](e) \\f \~g\~ \$h\$ i\|j \&amp; \<k\>" in page


# --- Where segments end --------------------------------------------------------------------------


def test_a_pause_ends_a_segment():
    assert texts(spoken("раз два | три")) == ["раз два", "три"]


@pytest.mark.parametrize(("gap_s", "n_segments"), [(0.499, 1), (0.5, 2)])
def test_a_pause_is_half_a_second(gap_s, n_segments):
    assert len(segments(spoken("раз два", start=1.1, gap_s=gap_s))) == n_segments


@pytest.mark.parametrize("mark", [".", "!", "?", "…", ".»", '!"', "?)"])
def test_a_sentence_end_ends_a_segment(mark):
    assert texts(spoken(f"Это первая фраза{mark} Это вторая.")) == [f"Это первая фраза{mark}", "Это вторая."]


def test_a_short_sentence_stays_with_the_next_one():
    assert texts(spoken("Да. Это так.")) == ["Да. Это так."]


def test_a_long_sentence_ends_at_its_last_comma():
    words = spoken(
        "Когда мы приехали, уже стемнело, и никто нас больше не ждал у ворот того старого дома", gap_s=0
    )
    assert texts(words) == [
        "Когда мы приехали, уже стемнело,",
        "и никто нас больше не ждал у ворот того старого дома",
    ]


def test_a_long_sentence_without_commas_fills_its_lines():
    words = spoken("слово " * 16, word_s=0.2, gap_s=0)  # 7 words of 5 letters make a line of 41 characters
    assert render(transcript(words), "srt").split("\n")[2:4] == [" ".join(["слово"] * 7)] * 2
    assert [len(segment.words) for segment in segments(words)] == [14, 2]


def test_a_segment_lasts_seven_seconds():
    assert [len(segment.words) for segment in segments(spoken("ох " * 15, word_s=0.7, gap_s=0))] == [10, 5]


def test_a_word_longer_than_a_line_stands_alone():
    assert texts(spoken("а " + "б" * 43 + " в")) == ["а", "б" * 43, "в"]
    assert texts(spoken("а " + "б" * 42 + " в")) == ["а " + "б" * 42, "в"]


def test_paragraphs_end_with_a_sentence_after_half_a_minute():
    words = spoken("Это очень короткая фраза. " * 40)  # 1.6 s each
    assert [len(segment.words) // 4 for segment in segments(words, options=PARAGRAPHS)] == [19, 19, 2]


@pytest.mark.parametrize("limits", [{"line_chars": 0}, {"max_lines": 0}, {"min_s": -1.0}, {"max_s": 0.5}])
def test_limits_that_no_text_can_keep_are_refused(limits):
    with pytest.raises(FormatError, match="limits that no text can keep"):
        SegmentOptions(**limits)


# --- Times -----------------------------------------------------------------------------------------


def cue_times(words):
    return [(start, end) for start, end, _ in parse_subtitles(render(transcript(words), "srt"))]


@pytest.mark.parametrize(
    ("start", "written"),
    [
        (0.0004, "00:00:00"),
        (59.9996, "00:01:00"),
        (3599.9996, "01:00:00"),
        (3661.0, "01:01:01"),
        (360_000.0, "100:00:00"),
    ],
)
def test_times_carry_to_the_next_unit(start, written):
    one_word = transcript(spoken("да", start=start, word_s=2.0))
    assert f"\n{written},000 --> " in render(one_word, "srt")
    assert f"\n{written}.000 --> " in render(one_word, "vtt")


def test_a_cue_is_shown_for_a_second_if_there_is_room():
    assert cue_times(spoken("раз", start=1.0)) == [(1000, 2000)]
    assert cue_times(spoken("раз", start=1.0) + spoken("два", start=1.8)) == [(1000, 1800), (1800, 2800)]


def test_a_cue_is_shown_for_seven_seconds_at_most():
    assert cue_times(spoken("э-э-э", start=1.0, word_s=9.0)) == [(1000, 8000)]


def test_cues_follow_each_other_even_if_the_words_run_backwards():
    words = (
        Word("а.", 5.0, 7.0, 1.0),
        Word("б.", 8.0, 9.0, 1.0),
        Word("в.", 3.0, 4.0, 1.0),
        Word("г.", 5.0, 5.0, 1.0),
    )
    times = cue_times(words)
    assert all(start < end for start, end in times)
    assert all(end <= start for (_, end), (start, _) in pairwise(times))


# --- Properties ------------------------------------------------------------------------------------

letters = st.text(alphabet="абвёЯ<>&-*z1.,!?»", min_size=1, max_size=12)
long_words = st.text(alphabet="щ", min_size=40, max_size=45)


@st.composite
def word_sequences(draw):
    """Words in order, some without length, with no gap between them, a short or a long one."""
    words, time = [], draw(st.sampled_from([0.0, 59.9996, 3599.98]))
    for text in draw(st.lists(st.one_of(letters, letters, letters, long_words), min_size=1, max_size=60)):
        start = time + draw(st.sampled_from([0.0, 0.0, 0.04, 0.2, 0.48, 0.5, 3.0]))
        time = start + draw(st.sampled_from([0.0, 0.04, 0.3, 0.6, 2.0, 8.0]))
        words.append(Word(text, start, time, 1.0))
    return tuple(words)


@given(word_sequences())
def test_no_word_is_lost_or_moved(words):
    for options in (SUBTITLES, PARAGRAPHS):
        assert tuple(word for segment in segments(words, options=options) for word in segment.words) == words


@given(word_sequences())
def test_segments_keep_the_limits(words):
    for segment in segments(words):
        if len(segment.words) > 1:
            assert segment.end - segment.start <= 7.0005
            assert all(b.start - a.end < 0.5 for a, b in pairwise(segment.words))


CUE = re.compile(r"(\d\d+):(\d\d):(\d\d)[,.](\d{3}) --> (\d\d+):(\d\d):(\d\d)[,.](\d{3})\n((?:.+\n)+)")


def parse_subtitles(file):
    """(start ms, end ms, lines) of each cue of an SRT or VTT file, by the shape of its blocks alone."""
    cues = []
    for match in CUE.finditer(file):
        numbers = [int(number) for number in match.groups()[:8]]
        start, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (numbers[:4], numbers[4:]))
        cues.append((start, end, match[9].splitlines()))
    return cues


def unescape(line):
    return line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@given(word_sequences())
def test_subtitles_round_trip(words):
    srt = parse_subtitles(render(transcript(words), "srt"))
    vtt_file = render(transcript(words), "vtt")
    vtt = [
        (start, end, [unescape(line) for line in lines]) for start, end, lines in parse_subtitles(vtt_file)
    ]
    assert srt == vtt
    assert vtt_file.count("-->") == len(vtt)
    assert " ".join(" ".join(lines) for _, _, lines in srt) == " ".join(word.text for word in words)
    assert len(srt) == len(segments(words))


@given(word_sequences())
def test_cues_keep_the_limits(words):
    cues = parse_subtitles(render(transcript(words), "srt"))
    for start, end, lines in cues:
        assert start < end <= start + 7000
        assert len(lines) <= 2
        assert all(len(line) <= 42 for line in lines) or len(" ".join(lines).split()) == 1
    for (start, end, _), (next_start, _, _) in pairwise(cues):
        assert end <= next_start
        assert end - start >= min(1000, next_start - start)


@given(word_sequences())
def test_srt_numbers_its_cues_from_one(words):
    blocks = render(transcript(words), "srt").split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [str(number) for number in range(1, len(blocks) + 1)]


def test_warnings_of_the_file_are_notes_where_a_format_has_room_for_them():
    cut = AudioWarning("cut", "it ends at 1.00 s --> and\nits header promises <2.00> s", 1.0, 2.0)
    found = Transcript((Word("Да.", 0.2, 0.6, 1.0),), 1.0, warnings=(cut,))
    assert render(found, "vtt").startswith(
        "WEBVTT\n\nNOTE it ends at 1.00 s --&gt; and its header promises &lt;2.00&gt; s\n\n00:00:00.200 --> "
    )
    assert "\n\n> it ends at 1.00 s --\\> and its header promises \\<2.00\\> s\n\n**" in render(found, "md")
    assert "promises" not in render(found, "srt") + render(found, "txt")
