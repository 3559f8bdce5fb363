"""The whole way from audio to text, with the packaged demo model."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soxr

from gigastt_lab import (
    AudioError,
    AudioNotFoundError,
    AudioTooLongError,
    Engine,
    ModelError,
    ModelNotFoundError,
    ProviderError,
    Transcript,
    load_engine,
)
from gigastt_lab.models.files import PREFIX, VOCABULARY_NAME, ModelFiles
from gigastt_lab.models.registry import DEFAULT_MODEL, DEMO_DIRECTORY
from gigastt_lab.runtime.sessions import available_providers
from tests.support.audio_files import (
    RATE,
    by_ffmpeg,
    by_soundfile,
    media_recorder,
    telegram_voice,
    without_end_flag,
)
from tests.support.graphs import Sizes, write_model
from tests.support.word_errors import word_errors, words

if TYPE_CHECKING:
    from tests.conftest import Clip

FRAME_S = 0.04

# name -> makes a file of samples at 16 kHz
LOSSLESS: dict[str, Callable[[np.ndarray], bytes]] = {
    "wav 16 bit": lambda x: by_soundfile(x, RATE, "WAV", "PCM_16"),
    "wav 24 bit": lambda x: by_soundfile(x, RATE, "WAV", "PCM_24"),
    "wav 32 bit": lambda x: by_soundfile(x, RATE, "WAV", "PCM_32"),
    "wav float": lambda x: by_soundfile(x, RATE, "WAV", "FLOAT"),
    "flac": lambda x: by_soundfile(x, RATE, "FLAC", "PCM_16"),
}
LOSSY: dict[str, Callable[[np.ndarray], bytes]] = {
    "wav A-law": lambda x: by_soundfile(x, RATE, "WAV", "ALAW"),
    "wav mu-law": lambda x: by_soundfile(x, RATE, "WAV", "ULAW"),
    "mp3": lambda x: by_soundfile(x, RATE, "MP3"),
    "ogg vorbis": lambda x: by_soundfile(x, RATE, "OGG", "VORBIS"),
    "ogg opus": lambda x: by_soundfile(x, RATE, "OGG", "OPUS"),
    "ogg opus without an end flag": lambda x: without_end_flag(by_soundfile(x, RATE, "OGG", "OPUS")),
    # The page that is missing holds a second: of silence, here.
    "telegram voice note": lambda x: telegram_voice(np.concatenate([x, np.zeros(RATE, np.float32)])),
    "m4a aac": lambda x: by_ffmpeg(x, RATE, "ipod", "aac"),
    "webm opus": lambda x: by_ffmpeg(x, RATE, "webm", "libopus"),
    "webm opus of a MediaRecorder": media_recorder,
}


def edit_distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Substitutions, deletions and insertions that turn `a` into `b`."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def share_of_wrong_words(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Pooled over all utterances; capitals and punctuation count."""
    pairs = [(ref.split(), hyp.split()) for ref, hyp in zip(references, hypotheses, strict=True)]
    return sum(edit_distance(*pair) for pair in pairs) / sum(len(ref) for ref, _ in pairs)


def assert_same(found: Transcript, expected: Transcript) -> None:
    """The same words at the same times; confidences up to rounding."""
    spans = [[(word.text, word.start, word.end) for word in t.words] for t in (found, expected)]
    assert spans[0] == spans[1]
    assert found.duration_s == expected.duration_s
    confidences = [[word.confidence for word in t.words] for t in (found, expected)]
    np.testing.assert_allclose(*confidences, atol=1e-3)


def assert_sound(transcript: Transcript) -> None:
    """What holds for every transcript of every audio."""
    assert transcript.text == " ".join(word.text for word in transcript.words)
    times = [time for word in transcript.words for time in (word.start, word.end)]
    assert [word.start for word in transcript.words] == sorted(word.start for word in transcript.words)
    assert [word.end for word in transcript.words] == sorted(word.end for word in transcript.words)
    assert all(0 <= time <= transcript.duration_s + FRAME_S for time in times)
    for word in transcript.words:
        assert word.text
        assert " " not in word.text
        assert word.start < word.end
        assert 0 < word.confidence <= 1
    timings = transcript.timings
    stages = (timings.decode_s, timings.features_s, timings.encoder_s, timings.search_s)
    assert min(stages) >= 0
    assert timings.total_s == pytest.approx(sum(stages))


@pytest.fixture(scope="module")
def alone(engine: Engine, clips: list[Clip]) -> list[Transcript]:
    """Every clip by itself."""
    return [engine.transcribe(clip.path) for clip in clips]


@pytest.fixture(scope="module")
def int8_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo model with an encoder in dynamic INT8 beside that in FP32."""
    from onnxruntime.quantization import quantize_dynamic

    directory = tmp_path_factory.mktemp("int8")
    for path in DEMO_DIRECTORY.iterdir():
        shutil.copy(path, directory)
    encoders = (directory / f"{PREFIX}_encoder{suffix}.onnx" for suffix in ("", "_int8"))
    quantize_dynamic(*encoders, op_types_to_quantize=["MatMul"])  # ONNX Runtime 1.20 has no INT8 convolution
    return directory


@pytest.fixture
def no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without models."""
    monkeypatch.delenv("GIGASTT_MODEL_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


# What is recognised


def test_the_demo_model_knows_most_words_of_commands(engine: Engine, clear_clips: list[Clip]) -> None:
    assert len(clear_clips) >= 5
    hypotheses = [engine.transcribe(clip.path).text for clip in clear_clips]
    assert share_of_wrong_words([clip.text for clip in clear_clips], hypotheses) < 0.4


def test_every_transcript_is_sound(alone: list[Transcript], clips: list[Clip]) -> None:
    for transcript, clip in zip(alone, clips, strict=True):
        assert_sound(transcript)
        assert transcript.words
        assert transcript.duration_s == len(clip.waveform) / RATE


def test_words_come_when_they_are_spoken(engine: Engine, clear_clips: list[Clip]) -> None:
    # 0          2 s                    2 s + n_samples              3 s + n_samples
    # | silence   | speech ...           | silence (and a full stop)  |
    for clip in clear_clips:
        before, after = np.zeros(2 * RATE, np.float32), np.zeros(RATE, np.float32)
        transcript = engine.transcribe(np.concatenate([before, clip.waveform, after]), sample_rate=RATE)
        assert_sound(transcript)
        assert transcript.words[0].start > 1.5
        assert transcript.words[-1].start < 2 + len(clip.waveform) / RATE


@pytest.mark.parametrize("n_samples", [0, 1, 319, 320, 321, 640, 3 * RATE])
def test_next_to_nothing_and_silence_are_no_errors(engine: Engine, n_samples: int) -> None:
    transcript = engine.transcribe(np.zeros(n_samples, np.float32), sample_rate=RATE)
    assert_sound(transcript)
    assert transcript.duration_s == n_samples / RATE
    if n_samples < 320:
        assert transcript.words == ()


@pytest.mark.parametrize("n_samples", [1, 319, 320, 321, 640, 4_000])
def test_scraps_of_noise_and_speech_are_no_errors(engine: Engine, clips: list[Clip], n_samples: int) -> None:
    noise = np.random.default_rng(n_samples).normal(0, 0.1, n_samples).astype(np.float32)
    for scrap in (noise, clips[0].waveform[8_000 : 8_000 + n_samples]):
        assert_sound(engine.transcribe(scrap, sample_rate=RATE))


def test_a_limit_of_length_is_an_option(engine: Engine, clips: list[Clip]) -> None:
    speech = np.resize(np.concatenate([clip.waveform for clip in clips]), 10 * RATE + 1)
    assert engine.transcribe(speech[:-1], sample_rate=RATE, max_duration_s=10).duration_s == 10
    with pytest.raises(AudioTooLongError, match="allowed are 10 s"):
        engine.transcribe(speech, sample_rate=RATE, max_duration_s=10)
    with pytest.raises(AudioTooLongError, match="allowed are 10 s"):
        engine.transcribe(by_soundfile(speech, RATE, "WAV"), max_duration_s=10)


def test_real_speech(engine: Engine) -> None:
    folder = os.environ.get("GIGASTT_TEST_GOLOS")
    if not folder:
        pytest.skip("GIGASTT_TEST_GOLOS names no folder of real clips (golos_00.wav, ...)")
    paths = sorted(Path(folder).glob("*.wav"))
    assert paths
    for transcript in engine.transcribe_batch(paths):
        assert_sound(transcript)
        assert transcript.text


# Batches, order, threads


@pytest.mark.parametrize("batch_size", [1, 5, 8, 100])
def test_a_batch_gives_what_each_gives_alone_in_the_order_given(
    engine: Engine, clips: list[Clip], alone: list[Transcript], batch_size: int
) -> None:
    order = np.random.default_rng(batch_size).permutation(len(clips))
    together = engine.transcribe_batch([clips[i].path for i in order], batch_size=batch_size)
    assert len(together) == len(clips)
    for transcript, i in zip(together, order, strict=True):
        assert_same(transcript, alone[i])
        assert_sound(transcript)


def test_a_batch_may_mix_paths_bytes_samples_and_nothing(
    engine: Engine, clips: list[Clip], alone: list[Transcript]
) -> None:
    nothing = np.zeros(0, np.float32)
    audios = [clips[0].path, clips[1].waveform, nothing, clips[2].path.read_bytes(), str(clips[3].path)]
    first, second, none, third, fourth = (
        # One by one: a rate belongs to samples only.
        engine.transcribe_batch([audio], sample_rate=RATE if isinstance(audio, np.ndarray) else None)[0]
        for audio in audios
    )
    assert none == Transcript((), 0.0)
    for transcript, expected in zip((first, second, third, fourth), alone[:4], strict=True):
        assert_same(transcript, expected)
    waveforms = [clips[1].waveform, nothing, clips[0].waveform]
    one, none, other = engine.transcribe_batch(waveforms, sample_rate=RATE)
    assert none == Transcript((), 0.0)
    assert_same(one, alone[1])
    assert_same(other, alone[0])


def test_an_empty_batch(engine: Engine) -> None:
    assert engine.transcribe_batch([]) == []


@pytest.mark.slow
def test_dynamic_int8_gives_the_same_in_every_batch(int8_directory: Path, clips: list[Clip]) -> None:
    int8 = load_engine("demo", model_dir=int8_directory, precision="int8")
    together = int8.transcribe_batch([clip.path for clip in clips])
    for transcript, clip in zip(together, clips, strict=True):
        assert_same(transcript, int8.transcribe(clip.path))


@pytest.mark.slow
def test_int8_is_as_good_as_fp32(engine: Engine, int8_engine: Engine, clips: list[Clip]) -> None:
    """Against what was said: it knows the words that FP32 is sure of, and makes as many errors in others."""
    said = [clip.text for clip in clips]
    heard = [[each.transcribe(clip.path).text for clip in clips] for each in (engine, int8_engine)]
    fp32, int8 = (sum(map(word_errors, texts, said)) for texts in heard)
    n_words = sum(map(len, map(words, said)))
    assert abs(int8 - fp32) <= 0.05 * n_words
    assert sum(map(word_errors, *heard)) <= 0.1 * n_words


@pytest.mark.slow
def test_eight_threads_on_one_engine(clips: list[Clip], alone: list[Transcript]) -> None:
    # What is computed on first use is then computed by several at once.
    fresh = load_engine("demo", precision="fp32")

    def work(seed: int) -> tuple[np.ndarray, list[Transcript]]:
        order = np.random.default_rng(seed).permutation(len(clips))[:6]
        paths = [clips[i].path for i in order]
        singly = seed % 2
        return order, [fresh.transcribe(p) for p in paths] if singly else fresh.transcribe_batch(paths)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(16)))

    for order, transcripts in results:
        for i, transcript in zip(order, transcripts, strict=True):
            assert_same(transcript, alone[i])


def test_the_stages_take_no_longer_than_the_call(engine: Engine, clips: list[Clip]) -> None:
    paths = [clip.path for clip in clips]
    for call in (lambda: [engine.transcribe(paths[0])], lambda: engine.transcribe_batch(paths)):
        started = time.perf_counter()
        transcripts = call()
        wall_s = time.perf_counter() - started
        assert 0 < sum(transcript.timings.total_s for transcript in transcripts) <= wall_s
        for transcript in transcripts:
            assert min(transcript.timings.decode_s, transcript.timings.encoder_s) > 0


# Kinds of audio


def test_path_bytes_and_samples_agree(engine: Engine, clips: list[Clip], alone: list[Transcript]) -> None:
    clip, data = clips[2], clips[2].path.read_bytes()
    for file in (str(clip.path), data, bytearray(data), memoryview(data)):
        assert_same(engine.transcribe(file), alone[2])
    pcm16 = np.round(clip.waveform * 2**15).astype(np.int16)
    stereo = np.stack([clip.waveform, clip.waveform])
    for samples in (clip.waveform, clip.waveform.astype(np.float64), pcm16, stereo, stereo[:1]):
        assert_same(engine.transcribe(samples, sample_rate=RATE), alone[2])


def test_the_samples_stay_as_they_are(engine: Engine, clips: list[Clip]) -> None:
    samples = clips[0].waveform.copy()
    engine.transcribe(samples, sample_rate=RATE)
    np.testing.assert_array_equal(samples, clips[0].waveform)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_other_sample_rates_give_nearly_the_same_text(
    engine: Engine, clear_clips: list[Clip], rate: int
) -> None:
    expected = [engine.transcribe(clip.path).text for clip in clear_clips]
    found = [
        engine.transcribe(soxr.resample(clip.waveform, RATE, rate), sample_rate=rate).text
        for clip in clear_clips
    ]
    assert share_of_wrong_words(expected, found) <= 0.1


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_lossless_file_changes_nothing(engine: Engine, clear_clips: list[Clip], name: str) -> None:
    for clip in clear_clips:
        expected = engine.transcribe(clip.waveform, sample_rate=RATE)
        assert_same(engine.transcribe(LOSSLESS[name](clip.waveform)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSY)
def test_a_lossy_file_changes_few_words(engine: Engine, clear_clips: list[Clip], name: str) -> None:
    expected = [engine.transcribe(by_soundfile(clip.waveform, RATE, "WAV")).text for clip in clear_clips]
    found = [engine.transcribe(LOSSY[name](clip.waveform)).text for clip in clear_clips]
    assert share_of_wrong_words(expected, found) <= 0.2


# Errors of audio


def test_samples_need_a_rate_and_files_have_one(engine: Engine, clips: list[Clip]) -> None:
    with pytest.raises(AudioError, match="pass sample_rate="):
        engine.transcribe(clips[0].waveform)
    for file in (clips[0].path, clips[0].path.read_bytes()):
        with pytest.raises(AudioError, match="sample_rate=16000 was given with a file"):
            engine.transcribe(file, sample_rate=RATE)


@pytest.mark.parametrize("sample_rate", [0, -1, 999, 10**6])
def test_impossible_rates_are_refused(engine: Engine, sample_rate: int) -> None:
    with pytest.raises(AudioError, match=f"a sample rate of {sample_rate} Hz"):
        engine.transcribe(np.zeros(RATE, np.float32), sample_rate=sample_rate)


@pytest.mark.parametrize(
    "samples", [np.zeros((1, 2, 3), np.float32), np.full(9, np.nan), np.zeros(9, np.complex64)], ids=str
)
def test_samples_of_no_sound_are_refused(engine: Engine, samples: np.ndarray) -> None:
    with pytest.raises(AudioError):
        engine.transcribe(samples, sample_rate=RATE)


def test_what_is_no_audio_file_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(AudioNotFoundError, match=r"no file .*nowhere\.wav"):
        engine.transcribe(tmp_path / "nowhere.wav")
    with pytest.raises(AudioError, match="not a regular file"):
        engine.transcribe(tmp_path)
    for data in (b"", b"RIFF", bytes(1000)):
        with pytest.raises(AudioError, match=f"{len(data)} bytes"):
            engine.transcribe(data)


def test_an_error_in_a_batch_says_where(engine: Engine, clips: list[Clip], tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.wav"
    with pytest.raises(AudioNotFoundError, match=r"recording 1 of 3: .*nowhere\.wav"):
        engine.transcribe_batch([clips[0].path, missing, clips[1].path])
    long_and_bad = np.zeros(31 * RATE)
    long_and_bad[-1] = np.nan
    with pytest.raises(AudioError, match="recording 2 of 3: "):
        engine.transcribe_batch([np.zeros(9), np.zeros(9), long_and_bad], sample_rate=RATE)


@pytest.mark.parametrize("batch_size", [0, -3])
def test_batches_hold_at_least_one(engine: Engine, batch_size: int) -> None:
    with pytest.raises(ValueError, match=f"batch_size is {batch_size}; give 1 or more"):
        engine.transcribe_batch([], batch_size=batch_size)


# Loading


def test_info_says_what_runs(engine: Engine, int8_directory: Path) -> None:
    assert engine.info.model == "gigaam-demo"
    assert engine.info.directory == str(DEMO_DIRECTORY)
    assert engine.info.provider in available_providers()
    assert engine.info.threads >= 1
    lines = ModelFiles.find(DEMO_DIRECTORY).vocabulary.read_text(encoding="utf-8").splitlines()
    assert engine.info.vocab_size == len(lines)
    fp32 = load_engine("demo", model_dir=int8_directory, precision="fp32", provider="cpu", threads=1)
    assert (fp32.info.precision, fp32.info.provider, fp32.info.threads) == ("fp32", "cpu", 1)
    assert fp32.info.directory == str(int8_directory)


def test_the_variable_names_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clips: list[Clip]
) -> None:
    monkeypatch.setenv("GIGASTT_MODEL_DIR", str(write_model(tmp_path, Sizes(n_mels=64), blank_bias=2.0)))
    engine = load_engine()
    assert (engine.info.model, engine.info.directory) == (DEFAULT_MODEL, str(tmp_path))
    assert_sound(engine.transcribe(clips[0].path))


def test_tokens_per_frame_are_limited(tmp_path: Path, clips: list[Clip]) -> None:
    write_model(tmp_path, Sizes(n_mels=64), blank_bias=-1e6)  # never a blank
    counts = [
        len(load_engine(model_dir=tmp_path, max_symbols=n).transcribe(clips[0].path).text.replace(" ", ""))
        for n in (1, 2)
    ]
    assert 0 < counts[0] < counts[1]


def test_an_unknown_model_is_told_the_known_ones() -> None:
    with pytest.raises(ModelError, match="choose one of gigaam-v3-e2e-rnnt, gigaam-demo, demo"):
        load_engine("whisper")


def test_without_the_real_model_the_demo_is_suggested_but_not_taken(no_model: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no such model directory.*--model demo") as caught:
        load_engine()
    assert str(no_model / ".gigastt" / "models") in str(caught.value)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"nowhere: no such model directory; download"):
        load_engine("demo", model_dir=tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name", [f"{PREFIX}_encoder.onnx", f"{PREFIX}_decoder.onnx", f"{PREFIX}_joint.onnx", VOCABULARY_NAME]
)
def test_a_missing_or_broken_file_is_named(tmp_path: Path, name: str) -> None:
    write_model(tmp_path, Sizes(n_mels=64))
    content = (tmp_path / name).read_bytes()
    for broken in (b"", b"garbage\n" * 9, content[: len(content) // 2]):
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(ModelError, match=name) as caught:
            load_engine(model_dir=tmp_path)
        assert not isinstance(caught.value, ModelNotFoundError)
    (tmp_path / name).unlink()
    with pytest.raises(ModelNotFoundError, match=name):
        load_engine(model_dir=tmp_path)


def test_files_of_two_models_are_refused(tmp_path: Path) -> None:
    write_model(tmp_path, Sizes(n_mels=64))
    shutil.copy(ModelFiles.find(DEMO_DIRECTORY).vocabulary, tmp_path)
    with pytest.raises(ModelError, match=f"{VOCABULARY_NAME}.*one export of one model"):
        load_engine(model_dir=tmp_path)


def test_int8_that_is_not_there_is_not_replaced(tmp_path: Path) -> None:
    write_model(tmp_path)
    with pytest.raises(ModelNotFoundError, match=f"{PREFIX}_encoder_int8.onnx"):
        load_engine(model_dir=tmp_path, precision="int8")


def test_an_unknown_provider_is_told_the_known_ones() -> None:
    with pytest.raises(ProviderError, match="'gpu' is not known; choose one of auto, cpu, cuda"):
        load_engine("demo", provider="gpu")


def test_a_missing_provider_is_told_the_available_ones() -> None:
    missing = next(name for name in ("cuda", "coreml") if name not in available_providers())
    with pytest.raises(ProviderError, match=f"{missing} is not in this build.*cpu"):
        load_engine("demo", provider=missing)


@pytest.mark.parametrize("option", ["threads", "max_symbols"])
def test_counts_start_at_one(option: str) -> None:
    with pytest.raises(ValueError, match=rf"{option} is 0.* give 1 or more"):
        load_engine("demo", **{option: 0})
