"""The whole chain at its smallest: a corpus of noise, a few steps, an export that the engine loads."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
import soxr
import torch

from gigastt_lab.engine import load_engine
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.training.__main__ import main
from gigastt_lab.training.architecture import CONFIGS, Transducer
from gigastt_lab.training.augment import AugmentOptions, augment, silence, spec_augment, telephone
from gigastt_lab.training.batches import MAX_S, Batch, Batches, BatchOptions
from gigastt_lab.training.clips import write_clips
from gigastt_lab.training.corpus import AUDIO_FILE, ENTRIES_FILE, Corpus, Entry
from gigastt_lab.training.evaluate import Record, comparable, rate, score
from gigastt_lab.training.objective import Weights, loss
from gigastt_lab.training.pieces import Pieces
from gigastt_lab.training.train import CHECKPOINT_FILE, TrainOptions, learning_rate

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


@pytest.mark.skipif(platform.machine() != "x86_64", reason="about instruction sets of x86-64")
def test_without_avx512_it_trains_in_float32(trained, corpus, tmp_path):
    """oneDNN, told to be on a processor that ends at AVX2, has no LSTM in bfloat16."""
    arguments = ["--corpus", corpus, "--size", "tiny", "--minutes", "0.01", "--processes", "1"]
    ran = subprocess.run(
        [sys.executable, "-m", "gigastt_lab.training", "train", *arguments,
         "--init", trained, "--out", tmp_path],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "no LSTM in bfloat16 on this processor" in ran.stderr
    assert (tmp_path / CHECKPOINT_FILE).is_file()


def test_evaluation_prints_a_row_for_each_cell(trained, corpus, tmp_path, capsys):
    main(["evaluate", "--model-dir", str(trained), "--corpus", str(corpus), "--records", str(tmp_path / "r")])
    printed = capsys.readouterr().out
    assert "| assistant, espeak-ng | 5 |" in printed
    assert "| open, espeak-ng | 5 |" in printed
    assert "fp32, cpu" in printed
    rows = [json.loads(line) for line in (tmp_path / "r").read_text().splitlines()]
    assert {row["cell"].partition(";")[0] for row in rows} == {"assistant, espeak-ng", "open, espeak-ng"}


def test_missing_corpus_is_an_error_without_a_traceback(trained, tmp_path):
    assert main(["evaluate", "--model-dir", str(trained), "--corpus", str(tmp_path)]) == 1


def test_rates_are_pooled_and_their_interval_holds_them():
    records = [
        Record("x", ("Да, нет.",), "да нет"),
        Record("x", ("Скинь 200 ₽ маме!", "Скинь двести рублей маме!"), "скинь двести рублей папе"),
        Record("y", ("15 серия.", "Пятнадцатая серия."), "Пятнадцатая серия."),
        Record("y", ("15 серия.", "Пятнадцатая серия."), "15 серия"),
        Record("z", ("",), "лишнее"),
    ]
    x, y, z = score(records)
    assert x.wer.value == pytest.approx(100 * 1 / 6)
    assert x.wer.n_units == 6
    assert x.wer.low <= x.wer.value <= x.wer.high
    assert y.wer.value == y.cer.value == 0.0
    assert z.wer.n_units == 0
    assert rate([(1, 4), (0, 12)]).value == pytest.approx(100 * 1 / 16)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Ёлка, ёж!", "елка еж"),
        ("«Грань» 07", "грань ноль семь"),
        ("На 70%", "на семьдесят процентов"),
        ("60 000 тенге", "шестьдесят тысяч тенге"),
        ("831 241", "восемьсот тридцать один двести сорок один"),
        ("1" * 11, "один " * 10 + "один"),
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
        assert np.abs(changed).max() <= 1.0
        assert 0.8 * 20_000 < len(changed) < 1.25 * 20_000
    assert len(silence(rng, 0.5)) == 8_000


def test_a_call_is_as_empty_above_4_khz_as_an_8_khz_file():
    noise = np.random.default_rng(0).standard_normal(160_000).astype(np.float32) * np.float32(0.1)
    resampled = soxr.resample(soxr.resample(noise, 16_000, 8_000), 8_000, 16_000)
    for seed in range(6):  # with and without the narrower band and the mu-law steps
        call = telephone(noise, np.random.default_rng(seed))
        assert log_mel(call)[50:].mean() < log_mel(resampled)[50:].mean() + 1.0
        assert log_mel(call)[12:36].mean() == pytest.approx(log_mel(noise)[12:36].mean(), abs=1.0)


def test_masks_hide_bands_and_moments_and_nothing_else():
    features = np.random.default_rng(0).standard_normal((64, 300)).astype(np.float32)
    fill = np.full((64, 1), 9.0, np.float32)
    masked = spec_augment(features.copy(), np.random.default_rng(1), AugmentOptions(), fill)
    changed = masked != features
    assert changed.any()
    assert (masked[changed] == 9.0).all()
    assert changed.mean() < 0.5


def test_the_loss_of_a_batch_is_that_of_its_utterances():
    torch.manual_seed(0)
    model = Transducer(CONFIGS["tiny"]).eval()
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(2, 64, 120, generator=generator)
    lengths = torch.tensor([120, 77])
    pieces = [torch.randint(0, 39, (n,), generator=generator) for n in (7, 3)]
    characters = [torch.randint(0, 34, (n,), generator=generator) for n in (11, 5)]
    for weights in (Weights(1, 0, 0), Weights(0, 1, 0), Weights(0, 0, 1)):
        n_symbols = torch.tensor([len(t) for t in (characters if weights.character_ctc else pieces)])
        together = loss(model, Batch(features, lengths, pieces, characters, 2.0), weights)
        alone = [
            loss(
                model,
                Batch(
                    features[i : i + 1, :, :length],
                    lengths[i : i + 1],
                    pieces[i : i + 1],
                    characters[i : i + 1],
                    1.0,
                ),
                weights,
            )
            for i, length in enumerate(lengths)
        ]
        # Each is a mean over symbols: the batch's is their mean, weighted by the symbols.
        expected = (torch.stack(alone) * n_symbols).sum() / n_symbols.sum()
        torch.testing.assert_close(together, expected, rtol=1e-4, atol=1e-4)


def test_joined_utterances_keep_their_texts_and_their_limit(corpus, trained):
    data = Corpus(corpus)
    batches = Batches(data, Pieces(trained / "v3_e2e_rnnt_vocab.txt"), np.zeros(64, np.float32), seed=3)
    options = BatchOptions(joined=1.0, padded=0.0)
    for _ in range(12):
        batch = batches.next(options, AugmentOptions(share=0.0))
        assert all(len(pieces) for pieces in batch.pieces)
        assert batch.lengths.max() < 100 * (MAX_S + 8)  # the pauses come on top


def test_clips_come_from_the_test_alone(corpus, tmp_path):
    write_clips(corpus, tmp_path, per_cell=2)
    rows = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    tested = {entry.written for entry in Corpus(corpus).select("test")}
    assert len(rows) == 4
    assert all(row["text"] in tested and (tmp_path / row["audio"]).exists() for row in rows)


def test_all_clips_are_the_whole_test(corpus, tmp_path):
    write_clips(corpus, tmp_path, per_cell=None)
    rows = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text("utf-8").splitlines()]
    expected = [entry.written for entry in Corpus(corpus).select("test")]
    assert sorted(row["text"] for row in rows) == sorted(expected)
    assert all((tmp_path / row["audio"]).is_file() for row in rows)
    assert len({row["audio"] for row in rows}) == len(rows)
