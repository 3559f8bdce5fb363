"""Ends of words against the sound itself: pauses stay pauses, whatever punctuation comes late in them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.datasets.audio import speech_bounds
from gigastt_lab.formats import PARAGRAPHS, segments, to_srt
from gigastt_lab.recognition.windows import WindowOptions, transcribed
from gigastt_lab.streaming.options import EndpointOptions, StreamOptions
from gigastt_lab.types import Transcript
from tests.support.examples import examples
from tests.support.tones import TOKENIZER, TONES_HZ, WORD_S, ToneRecognizer, said, speak, tone_stream
from tests.support.word_errors import words as words_of

RATE = 16_000
# A tone is heard in one of the frames around its begin, and a word goes on for 80 ms behind its frame.
WITHIN_S = 0.085
# The demo model's last word may end so long before its sound, or behind it: measured on 286 of them.
EARLY_S, LATE_S = 0.3, 0.16


def quiet(seconds):
    return (1e-4 * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype(np.float32)


def in_order(words, end_s):
    """What holds for the words of every recording."""
    assert all(0.0 <= word.start <= word.end <= end_s for word in words)
    assert all(one.end <= other.start for one, other in pairwise(words))


# -- tones, and a recogniser that writes full stops late -----------------------------------------------------


@st.composite
def recordings(draw):
    """Tones with pauses between them, most long enough for a full stop, and a rest of up to 3 s."""
    gaps = draw(st.lists(st.floats(0.2, 0.5) | st.floats(0.5, 6.0), min_size=1, max_size=40))
    starts = np.cumsum(gaps)
    tones = draw(st.lists(st.integers(0, len(TONES_HZ) - 1), min_size=len(gaps), max_size=len(gaps)))
    return list(zip(starts.tolist(), tones, strict=True)), starts[-1] + draw(st.floats(0.2, 3.0))


def check(heard, spoken, duration_s):
    assert [word.text.strip(".") for word in heard] == said(spoken)
    in_order(heard, duration_s)
    for word, (start_s, _) in zip(heard, spoken, strict=True):
        assert abs(word.start - start_s) < WITHIN_S
        assert abs(word.end - (start_s + WORD_S)) < WITHIN_S


def tone_words(waveform, stop_after, options):
    parts = transcribed(
        ToneRecognizer(stop_after),  # type: ignore[arg-type]
        TOKENIZER,
        [waveform],
        options=options,
        duration_s=None,
        batch_size=1,
    )
    return [word for part in parts for word in part.words]


@settings(max_examples=examples(20))
@given(
    recordings(),
    st.sampled_from([WindowOptions(), WindowOptions(length_s=8.0), WindowOptions(min_pause_ms=600)]),
    st.integers(1, 20),
)
def test_words_end_with_their_sound_in_files(recording, options, stop_after):
    spoken, duration_s = recording
    waveform = speak(spoken, duration_s)
    check(tone_words(waveform, stop_after, options), spoken, len(waveform) / RATE)


@settings(max_examples=examples(20))
@given(recordings(), st.integers(1, 20), st.sampled_from([5_000, 22_000]))
def test_words_end_with_their_sound_in_streams(recording, stop_after, max_utterance_ms):
    spoken, duration_s = recording
    waveform = speak(spoken, duration_s)
    options = StreamOptions(endpoint=EndpointOptions(max_utterance_ms=max_utterance_ms))
    session, _ = tone_stream(options, stop_after=stop_after)
    results = [*session.accept(waveform), *session.finish()]
    check([w for r in results if r.kind == "final" for w in r.words], spoken, len(waveform) / RATE)
    for result in results:
        assert all(result.start <= word.start <= word.end <= result.end for word in result.words)
        assert all(word.end <= result.heard for word in result.words)
        assert all(one.end <= other.start for one, other in pairwise(result.words))
    partials = [word.text for result in results if result.kind == "partial" for word in result.words]
    assert all(text.strip(".") for text in partials)  # no full stop of the utterance before, alone


def test_a_full_stop_in_a_pause_leaves_the_pause():
    #          раз 1.0  два 1.4          .   три 4.0               .     пять 7.5
    waveform = speak([(1.0, 0), (1.4, 1), (4.0, 2), (7.5, 3)], 10.0)
    words = tone_words(waveform, 20, WindowOptions())  # full stops 0.8 s behind the words
    assert [word.text for word in words] == ["раз", "два.", "три.", "пять."]
    assert to_srt(Transcript(tuple(words), 10.0)).split("\n")[1::4] == [
        "00:00:01,000 --> 00:00:02,000",
        "00:00:04,000 --> 00:00:05,000",
        "00:00:07,520 --> 00:00:08,520",
    ]
    assert [each.text for each in segments(words, options=PARAGRAPHS)] == ["раз два.", "три.", "пять."]


# -- the demo model ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("silence_s", [0.3, 2.0, 4.0])
def test_the_last_word_ends_with_the_sound(engine, clear_clips, silence_s):
    for clip in clear_clips[:3]:
        _, end_s = speech_bounds(clip.waveform)
        waveform = np.concatenate([clip.waveform, quiet(silence_s)])
        transcript = engine.transcribe(waveform, sample_rate=RATE)
        assert transcript.text.endswith((".", "?"))
        assert end_s - EARLY_S <= transcript.words[-1].end <= end_s + LATE_S
        in_order(transcript.words, transcript.duration_s)


@pytest.mark.parametrize("pause_s", [1.2, 2.5])
def test_a_pause_between_utterances_is_a_gap_between_words(engine, clear_clips, pause_s):
    one, other = clear_clips[0].waveform, clear_clips[1].waveform
    transcript = engine.transcribe(np.concatenate([one, quiet(pause_s), other]), sample_rate=RATE)
    ends_s = speech_bounds(one)[1]
    begins_s = len(one) / RATE + pause_s + speech_bounds(other)[0]
    gaps = {word.end: after.start - word.end for word, after in pairwise(transcript.words)}
    end_s = max(gaps, key=gaps.__getitem__)
    assert ends_s - EARLY_S <= end_s <= ends_s + LATE_S
    assert gaps[end_s] == pytest.approx(begins_s - ends_s, abs=EARLY_S + 0.1)
    cues = [segment.text for segment in segments(transcript.words)]
    n_words = len(words_of(clear_clips[0].text))
    assert any(len(words_of(" ".join(cues[:n]))) == n_words for n in range(1, len(cues)))


@pytest.mark.parametrize("batch", [False, True])
def test_no_word_ends_behind_the_recording(engine, clips, batch):
    """Recordings that end in the middle of a word, at any place of an encoder frame."""
    cut = [clip.waveform[: len(clip.waveform) * 2 // 3 + 97 * n] for n, clip in enumerate(clips[:8])]
    if batch:
        transcripts = engine.transcribe_batch(cut, sample_rate=RATE)
    else:
        transcripts = [engine.transcribe(each, sample_rate=RATE) for each in cut]
    for waveform, transcript in zip(cut, transcripts, strict=True):
        assert transcript.words
        in_order(transcript.words, len(waveform) / RATE)


def test_a_stream_that_stops_in_a_word_ends_with_it(engine, clips):
    for n, clip in enumerate(clips[:8]):
        waveform = clip.waveform[: len(clip.waveform) * 2 // 3 + 97 * n]
        session = engine.stream()
        last = [*session.accept(waveform), *session.finish()][-1]
        assert (last.reason, last.end) == ("stop", len(waveform) / RATE)
        in_order(last.words, last.end)
        assert last.words
