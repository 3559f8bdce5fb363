"""The whole chain at its smallest: a corpus of noise, a few steps, an export that the engine loads."""

import json
from dataclasses import asdict

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sentencepiece")

from gigastt_lab.engine import load_engine  # noqa: E402
from gigastt_lab.training.__main__ import main  # noqa: E402
from gigastt_lab.training.augment import AugmentOptions, augment, silence, telephone  # noqa: E402
from gigastt_lab.training.corpus import AUDIO_FILE, ENTRIES_FILE, Corpus, Entry  # noqa: E402
from gigastt_lab.training.evaluate import comparable, rate, score  # noqa: E402
from gigastt_lab.training.train import TrainOptions, learning_rate  # noqa: E402

WORDS = ("мама", "мыла", "раму", "папа", "дал", "дома", "дым", "ал")  # few letters: 39 pieces must do


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A corpus directory whose audio is noise: what is learned does not matter here."""
    directory = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    offset, lines, audio = 0, [], []
    for i in range(80):
        text = " ".join(rng.choice(WORDS, 4)).capitalize() + f" {i}."
        pcm = rng.integers(-3000, 3000, int(rng.integers(16_000, 40_000))).astype(np.int16)
        split = "train" if i < 60 else ("valid" if i < 70 else "test")
        kind = ("assistant", "open")[i % 2]
        entry = Entry(text, text.rstrip(". 0123456789"), kind, split, "m1", offset=offset, n_samples=len(pcm))
        lines.append(json.dumps(asdict(entry)))
        audio.append(pcm)
        offset += len(pcm)
    (directory / ENTRIES_FILE).write_text("\n".join(lines), encoding="utf-8")
    (directory / AUDIO_FILE).write_bytes(np.concatenate(audio).tobytes())
    return directory


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    run, model = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("model")
    arguments = ["--corpus", str(corpus), "--size", "tiny", "--minutes", "0.05", "--processes", "2"]
    main(["train", *arguments, "--out", str(run)])
    main(["export", "--from", str(run), "--out", str(model)])
    return model


def test_trained_model_is_a_directory_that_the_engine_loads(trained, corpus):
    engine = load_engine(model_dir=trained)
    assert engine.info.precision == "fp32"
    waveform = Corpus(corpus).waveform(Corpus(corpus).select("test")[0])
    assert engine.transcribe(waveform, sample_rate=16_000).duration_s > 0.9


def test_training_goes_on_from_shipped_weights(trained, corpus, tmp_path):
    arguments = ["--corpus", str(corpus), "--size", "tiny", "--minutes", "0.02", "--processes", "1"]
    main(["train", *arguments, "--init", str(trained), "--out", str(tmp_path / "run")])
    main(["export", "--from", str(tmp_path / "run"), "--out", str(tmp_path / "model")])
    names = sorted(path.name for path in trained.iterdir())
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == names
    assert (tmp_path / "model" / "v3_e2e_rnnt_vocab.txt").read_bytes() == (
        trained / "v3_e2e_rnnt_vocab.txt"
    ).read_bytes()


def test_evaluation_prints_a_row_for_each_cell(trained, corpus, capsys):
    main(["evaluate", "--model-dir", str(trained), "--corpus", str(corpus)])
    printed = capsys.readouterr().out
    assert "| assistant, espeak-ng | 5 |" in printed
    assert "| open, espeak-ng | 5 |" in printed


def test_rates_are_pooled_and_their_interval_holds_them():
    (cell,) = score({"x": [("Да, нет.", "да нет"), ("Скинь 200 ₽ маме!", "скинь двести рублей папе")]})
    assert cell.wer.value == pytest.approx(100 * 1 / 6)
    assert cell.wer.low <= cell.wer.value <= cell.wer.high
    assert rate([(1, 4), (0, 12)]).value == pytest.approx(100 * 1 / 16)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Ёлка, ёж!", "елка еж"),
        ("«Грань» 07", "грань ноль семь"),
        ("На 70%", "на семьдесят процентов"),
        ("?", ""),
    ],
)
def test_comparable_texts(written, plain):
    assert comparable(written) == plain


def test_learning_rate_warms_up_holds_and_decays_to_zero():
    options = TrainOptions(minutes=1, warmup_steps=10, constant_share=0.4, learning_rate=1.0)
    assert learning_rate(0, 0.0, options) == pytest.approx(0.1)
    assert learning_rate(50, 0.4, options) == pytest.approx(1.0)
    assert learning_rate(50, 0.7, options) == pytest.approx(0.5)
    assert learning_rate(50, 1.0, options) == pytest.approx(0.0)


def test_augmentation_keeps_samples_finite_and_in_range():
    rng = np.random.default_rng(0)
    speech = (rng.standard_normal(20_000) * 0.2).astype(np.float32)
    for _ in range(40):
        changed = augment(
            speech, rng, AugmentOptions(noise=0.7, reverberation=0.5, telephone=0.5), lambda: speech
        )
        assert changed.dtype == np.float32
        assert np.isfinite(changed).all()
        assert np.abs(changed).max() <= 1.5
        assert 0.8 * 20_000 < len(changed) < 1.25 * 20_000
    assert len(silence(rng, 0.5)) == 8_000


def test_the_telephone_band_ends_below_4_khz():
    rng = np.random.default_rng(0)
    power = np.abs(
        np.fft.rfft(telephone(rng.standard_normal(160_000).astype(np.float32), np.random.default_rng(3)))
    )
    frequencies = np.fft.rfftfreq(160_000, 1 / 16_000)
    inside = power[(frequencies > 600) & (frequencies < 2800)].mean()
    assert power[frequencies > 6000].mean() < 0.1 * inside
