"""Fixed lengths: the same frames, and few shapes."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from gigastt_lab import engine
from gigastt_lab.errors import ModelError, ProviderError
from gigastt_lab.models.files import ENCODER_NAMES, PREFIX
from gigastt_lab.models.registry import DEMO_DIRECTORY
from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.recognition import buckets, loading
from gigastt_lab.recognition import precision as choice
from gigastt_lab.recognition.buckets import BUCKET_FRAMES, BucketedEncoder, bucket_of, with_fixed_lengths
from gigastt_lab.recognition.features import log_mel_batch
from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.runtime import sessions as runtime
from gigastt_lab.runtime.sessions import RuntimeOptions, Session, load_session
from tests.support.graphs import Sizes, write_model

CPU = RuntimeOptions(provider="cpu")


class SpiedSession(Session):
    """Says that it is on an accelerator, and notes the lengths that it is given."""

    def __init__(self, session: Session, provider: str = "cuda") -> None:
        vars(self).update(vars(session))
        self.provider = provider
        self.seen: list[int] = []

    def run(self, *arrays):
        self.seen.append(arrays[0].shape[2])
        return super().run(*arrays)


@pytest.fixture(scope="module")
def session() -> Session:
    return load_session(DEMO_DIRECTORY / ENCODER_NAMES["fp32"][0], CPU)


def test_every_length_goes_into_the_smallest_bucket() -> None:
    assert list(BUCKET_FRAMES) == sorted(BUCKET_FRAMES)
    for n_frames in range(1, BUCKET_FRAMES[-1] + 1):
        bucket = bucket_of(n_frames)
        assert bucket in BUCKET_FRAMES
        assert bucket >= n_frames
        assert not [other for other in BUCKET_FRAMES if n_frames <= other < bucket]


def test_frames_are_those_of_the_encoder_itself(session: Session) -> None:
    features, lengths = log_mel_batch(sample_clips()[:3])
    expected, expected_counts = Encoder(session)(features, lengths)
    frames, counts = BucketedEncoder(session)(features, lengths)
    assert counts.tolist() == expected_counts.tolist()
    for row, count in enumerate(counts):
        np.testing.assert_allclose(frames[row, :count], expected[row, :count], atol=1e-4)


def test_an_accelerator_sees_each_bucket_before_the_first_utterance(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    spied = SpiedSession(session)
    with caplog.at_level(logging.INFO, logger=buckets.__name__):
        encoder = with_fixed_lengths(Encoder(spied))
    assert set(BUCKET_FRAMES) <= set(spied.seen)
    assert "12 lengths warmed up" in caplog.text
    spied.seen.clear()
    for n_frames in (1, 17, 98, 99, 100, 700):
        encoder(np.zeros((1, 64, n_frames), np.float32), np.array([n_frames]))
    assert spied.seen == [99, 99, 99, 99, 149, 799]


def test_a_cpu_is_left_alone(session: Session) -> None:
    encoder = Encoder(session)
    assert with_fixed_lengths(encoder) is encoder


def test_an_encoder_that_padding_changes_keeps_its_lengths(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path, Sizes(n_mels=64))
    encoder = Encoder(SpiedSession(load_session(tmp_path / f"{PREFIX}_encoder.onnx", CPU)))
    plain = Encoder.__call__

    def leaking(self, features, lengths):
        frames, counts = plain(self, features, lengths)
        return frames + features.shape[2], counts

    assert type(with_fixed_lengths(encoder)) is BucketedEncoder
    monkeypatch.setattr(Encoder, "__call__", leaking)
    assert with_fixed_lengths(encoder) is encoder
    assert "lengths stay as they are" in caplog.text


def test_an_accelerator_that_fails_at_its_first_run_is_fallen_back_from(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    load_networks = loading.load_networks

    def pretended(files, options, **arguments):
        networks = load_networks(files, RuntimeOptions(provider="cpu"), **arguments)
        if options.provider == "cuda":
            networks.encoder.session.provider = "cuda"
        return networks

    def failing(encoder):
        if encoder.session.provider == "cuda":
            raise ModelError("out of memory")
        return encoder

    monkeypatch.setattr(runtime, "available_providers", lambda: ("cpu", "cuda"))
    monkeypatch.setattr(loading, "load_networks", pretended)
    monkeypatch.setattr(loading, "with_fixed_lengths", failing)
    assert engine.load_engine("demo").info.provider == "cpu"
    assert "cannot run it: out of memory" in caplog.text
    with pytest.raises(ProviderError, match="out of memory"):
        engine.load_engine("demo", provider="cuda")
    monkeypatch.setattr(loading, "with_fixed_lengths", lambda encoder: encoder)
    engine.load_engine("demo", provider="cuda", precision="int8")
    assert "cuda has no kernels for dynamic INT8" in caplog.text


def test_auto_on_an_accelerator_is_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA and a processor behind it: what is loaded on which."""
    tried: list[tuple[str, str]] = []
    load_networks = loading.load_networks

    def on_cpu(files, options, **arguments):
        tried.append((options.provider, files.precision))
        if options.provider == "cuda":
            raise ProviderError("no device")
        return load_networks(files, options, **arguments)

    monkeypatch.setattr(runtime, "available_providers", lambda: ("cpu", "cuda"))
    monkeypatch.setattr(loading, "load_networks", on_cpu)
    monkeypatch.setattr(choice, "int8_is_faster", lambda: True)
    assert engine.load_engine("demo").info.provider == "cpu"
    assert tried == [("cuda", "fp32"), ("cpu", "int8")]
