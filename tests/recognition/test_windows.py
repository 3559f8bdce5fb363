"""Recordings of any length: a language of tones, where every answer is known, and the real demo model."""

from __future__ import annotations

import io
import tracemalloc
import wave
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigastt_lab import AudioError, AudioTooLongError
from gigastt_lab.audio.reading import audio_blocks, decode_audio, stated_duration_s
from gigastt_lab.recognition.windows import WindowOptions, transcribed, windows
from tests.support.examples import examples
from tests.support.tones import TOKENIZER, TONES_HZ, ToneRecognizer, said, speak
from tests.support.word_errors import word_errors, words

RATE = 16_000
FRAME = 640


def parts_of(waveform, options=None, *, block=10_000, batch_size=1):
    blocks = (waveform[at : at + block] for at in range(0, max(1, len(waveform)), block))
    return list(
        transcribed(
            ToneRecognizer(),  # type: ignore[arg-type]
            TOKENIZER,
            blocks,
            options=options or WindowOptions(),
            duration_s=None,
            batch_size=batch_size,
        )
    )


def as_wav(waveform, rate=RATE):
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, rate, 0, "NONE", ""))
        wav.writeframes((np.clip(waveform, -1, 1) * 32_767).astype("<i2").tobytes())
    return file.getvalue()


# -- how a recording is divided -----------------------------------------------------------------------------

EDGES = [0, 1, 639, 30 * RATE - 1, 30 * RATE, 30 * RATE + 1, 54 * RATE - 1, 54 * RATE, 54 * RATE + 1]


@pytest.mark.slow
@pytest.mark.parametrize("n_samples", [*EDGES, 56 * RATE, 80 * RATE, 100 * RATE + 7, 600 * RATE])
@pytest.mark.parametrize("block", [997, 10**9])
def test_windows_hold_every_sample(n_samples, block):
    samples = np.arange(n_samples, dtype=np.float32)
    blocks = [samples[at : at + block] for at in range(0, n_samples, block)]
    found = list(windows(blocks, WindowOptions()))
    assert [window.is_last for window in found] == [False] * (len(found) - 1) + [True]
    for window in found:
        assert window.start % FRAME == 0
        np.testing.assert_array_equal(window.waveform, samples[window.start : window.end])
        assert len(window.waveform) <= 30 * RATE
    if len(found) > 1:
        assert min(len(window.waveform) for window in found) >= 15 * RATE  # no short one
        assert all(one.end - other.start == 2 * RATE for one, other in pairwise(found))
    assert found[0].start == 0
    assert found[-1].end == n_samples


def _speech_and_pause(speech_s, pause_s):
    """Noise that swells four times a second, as syllables do: what is steady counts as the room's."""
    rng = np.random.default_rng(0)
    speech, pause = (rng.standard_normal(round(s * RATE), np.float32) for s in (speech_s, pause_s))
    swelling = np.sin(4 * np.pi * np.arange(len(speech)) / RATE) ** 2
    return (0.1 * swelling * speech).astype(np.float32), np.float32(1e-5) * pause


@pytest.mark.slow
@settings(max_examples=examples(40))
@given(
    st.lists(st.tuples(st.floats(0.1, 12.0), st.floats(0.0, 3.0)), min_size=1, max_size=12),
    st.integers(900, 99_999),
)
def test_windows_that_pauses_end_hold_every_sample(stretches, block):
    samples = np.concatenate([stretch for pair in stretches for stretch in _speech_and_pause(*pair)])
    blocks = [samples[at : at + block] for at in range(0, len(samples), block)]
    found = list(windows(blocks, WindowOptions(min_pause_ms=400)))
    assert all(other.start <= one.end for one, other in pairwise(found))
    assert (found[0].start, found[-1].end) == (0, len(samples))
    for one, other in pairwise(found):
        np.testing.assert_array_equal(one.waveform, samples[one.start : one.end])
        if one.end == other.start:  # a pause: the cut stands in silence
            assert np.abs(samples[one.end - 1_600 : one.end + 1_600]).max() < 1e-3
    assert [w.start for w in windows([samples], WindowOptions(min_pause_ms=400))] == [w.start for w in found]


@pytest.mark.parametrize(
    "options", [{"length_s": 31}, {"length_s": 2}, {"overlap_s": 0}, {"min_pause_ms": 10}]
)
def test_options_outside_their_range_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} is .*; give"):
        WindowOptions(**options)


# -- tones --------------------------------------------------------------------------------------------------


@st.composite
def recordings(draw):
    gaps = draw(st.lists(st.floats(0.2, 0.5) | st.floats(0.2, 4.0), min_size=1, max_size=400))
    starts = np.cumsum(gaps)
    tones = draw(st.lists(st.integers(0, len(TONES_HZ) - 1), min_size=len(gaps), max_size=len(gaps)))
    return list(zip(starts.tolist(), tones, strict=True)), starts[-1] + draw(st.floats(0.2, 3.0))


@settings(max_examples=examples(60))
@given(
    recordings(),
    st.sampled_from(
        [WindowOptions(), WindowOptions(length_s=8.0, overlap_s=2.0), WindowOptions(min_pause_ms=600)]
    ),
    st.integers(1, 5),
)
def test_every_word_once_in_order_at_its_time(recording, options, batch_size):
    words, duration_s = recording
    waveform = speak(words, duration_s)
    parts = parts_of(waveform, options, batch_size=batch_size)
    heard = [word for part in parts for word in part.words]
    assert [word.text for word in heard] == said(words)
    assert all(abs(word.start - start) < 0.085 for word, (start, _) in zip(heard, words, strict=True))
    assert all(one.start <= other.start and one.end <= other.end for one, other in pairwise(heard))
    assert [part.done_s for part in parts] == sorted(part.done_s for part in parts)
    assert parts[-1].done_s == parts[-1].duration_s == len(waveform) / RATE
    for one, other in pairwise(parts):
        assert all(word.end <= one.done_s + 1.1 for word in one.words)
        assert all(word.start >= one.done_s - 1.1 for word in other.words)


def test_parts_come_before_the_rest_is_read_and_survive_its_failure():
    waveform = speak([(1.0 + 0.5 * n, n % 4) for n in range(200)], 120.0)

    def blocks():
        yield waveform
        raise AudioError("the file is cut")

    parts = transcribed(
        ToneRecognizer(), TOKENIZER, blocks(), options=WindowOptions(), duration_s=None, batch_size=1
    )  # type: ignore[arg-type]
    words = []

    def collect():
        for part in parts:
            words.extend(part.words)

    with pytest.raises(AudioError, match="is cut"):
        collect()
    assert [word.text for word in words] == said([(0, n % 4) for n in range(200)])[: len(words)]
    assert len(words) > 90


@pytest.mark.slow
def test_memory_does_not_grow_with_the_recording():
    minute = speak([(1.0 + 0.5 * n, n % 4) for n in range(118)], 60.0)

    def peak(n_minutes):
        tracemalloc.start()
        parts = transcribed(
            ToneRecognizer(),  # type: ignore[arg-type]
            TOKENIZER,
            (minute for _ in range(n_minutes)),
            options=WindowOptions(),
            duration_s=None,
            batch_size=2,
        )
        n_words = sum(len(part.words) for part in parts)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert n_words == 118 * n_minutes
        return found

    assert peak(16) < 1.05 * peak(4)


# -- the engine ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def minute(clear_clips):
    """Clips with half a second between them: a minute and a half of speech; PCM16 holds it exactly."""
    pause = (np.random.default_rng(0).integers(-2, 3, RATE // 2) / 2**15).astype(np.float32)
    parts = [part for clip in clear_clips for part in (clip.waveform, pause)]
    return np.concatenate(parts * 4)[: 70 * RATE]


def test_long_recordings_are_as_good_as_short_ones(engine, clear_clips, minute):
    """Against what was said, beside the clips one by one: a window hears another context than a clip has."""
    transcript = engine.transcribe(minute, sample_rate=RATE)
    alone = [engine.transcribe(clip.waveform, sample_rate=RATE).text for clip in clear_clips]
    said = words(" ".join([clip.text for clip in clear_clips] * 4))
    found = words(transcript.text)
    assert len(found) > 50
    errors_alone = 4 * sum(map(word_errors, alone, (clip.text for clip in clear_clips)))
    # The recording ends in the middle of a clip: what comes after that is not to be found.
    errors = min(word_errors(found, said[:n]) for n in range(len(found) - 5, len(found) + 6))
    assert errors <= errors_alone + 0.03 * len(found)
    assert transcript.duration_s == len(minute) / RATE
    assert transcript.n_tokens > 100


@pytest.mark.slow
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_files_arrays_and_parts_agree(engine, minute, rate, tmp_path):
    from gigastt_lab.audio.reading import from_array

    file = tmp_path / "long.wav"
    content = as_wav(from_array(minute, RATE, sample_rate_out=rate), rate)
    file.write_bytes(content)
    by_path = engine.transcribe(file)
    assert engine.transcribe(content) == by_path
    assert engine.transcribe(decode_audio(file), sample_rate=RATE) == by_path
    parts = list(engine.transcribe_parts(file))
    assert len(parts) > 2
    assert " ".join(part.text for part in parts if part.words) == by_path.text
    assert parts[0].duration_s == pytest.approx(len(minute) / RATE, abs=1e-3)
    assert engine.transcribe_batch([file, content])[1] == by_path
    np.testing.assert_array_equal(np.concatenate(list(audio_blocks(file))), decode_audio(file))
    assert stated_duration_s(file) == pytest.approx(len(minute) / RATE, abs=1e-3)


def test_overlapping_windows_of_the_demo_model_lose_no_clip(engine, minute):
    whole = engine.transcribe(minute, sample_rate=RATE, windows=WindowOptions(length_s=20.0))
    assert all(one.start <= other.start for one, other in pairwise(whole.words))
    by_pauses = engine.transcribe(minute, sample_rate=RATE)
    assert abs(len(whole.words) - len(by_pauses.words)) <= 0.1 * len(by_pauses.words)


def test_a_limit_is_met_while_reading(engine, minute):
    parts = engine.transcribe_parts(as_wav(minute), max_duration_s=65.0)
    with pytest.raises(AudioTooLongError, match="allowed are 65 s"):
        list(parts)


def test_up_to_thirty_seconds_are_one_pass(engine, minute):
    (part,) = engine.transcribe_parts(minute[: 30 * RATE], sample_rate=RATE)
    assert part.done_s == part.duration_s == 30.0
    assert len(list(engine.transcribe_parts(minute[: 30 * RATE + 1], sample_rate=RATE))) > 1


@pytest.mark.parametrize("n_samples", [0, 1, 319])
def test_nothing_to_hear_is_an_empty_part(engine, n_samples):
    (part,) = engine.transcribe_parts(np.zeros(n_samples, np.float32), sample_rate=RATE)
    assert (part.words, part.done_s) == ((), n_samples / RATE)
