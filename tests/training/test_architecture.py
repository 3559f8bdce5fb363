"""The network: padding never reaches speech, normalisation folds exactly, graphs say what torch says."""

import json

import numpy as np
import pytest
import torch

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import ModelError
from gigastt_lab.models.files import PREFIX, VOCABULARY_NAME, ModelFiles
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.recognition.networks import load_networks
from gigastt_lab.recognition.recognizer import Recognizer, encodes_alike
from gigastt_lab.recognition.search import Tokens
from gigastt_lab.runtime.sessions import RuntimeOptions
from gigastt_lab.training.architecture import CONFIGS, Transducer
from gigastt_lab.training.export import export, read_weights
from gigastt_lab.training.random_weights import randomise, write_placeholder_vocabulary

MEAN, DEVIATION = torch.linspace(-11, -7, 64), torch.linspace(2, 4, 64)


@pytest.fixture(scope="module")
def model():
    """A tiny network, every parameter random, normalisation as after training."""
    torch.manual_seed(0)
    network = Transducer(CONFIGS["tiny"]).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        network.predictor.embedding.weight[network.config.blank_id] = 0.0
    network.encoder.subsampling.mean.copy_(MEAN)
    network.encoder.subsampling.deviation.copy_(DEVIATION)
    return network


@pytest.fixture(scope="module")
def directory(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny")
    export(model, path)
    write_placeholder_vocabulary(model.config.n_tokens, path / VOCABULARY_NAME)
    return path


def features(*lengths):
    """Features with garbage beyond each length."""
    generator = torch.Generator().manual_seed(2)
    return torch.randn(len(lengths), 64, max(lengths), generator=generator) * 3 - 9, torch.tensor(lengths)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 61, 97])
def test_padding_never_changes_an_utterance(model, length):
    batch, lengths = features(100, length)
    with torch.no_grad():
        together, counts = model.encoder(batch, lengths)
        alone, count = model.encoder(batch[1:, :, :length], lengths[1:])
    assert counts[1] == count[0] == alone.shape[2] == ((length - 1) // 2) // 2 + 1
    torch.testing.assert_close(together[1, :, :count], alone[0], atol=1e-5, rtol=1e-5)


def test_padding_never_changes_a_lone_utterance(model):
    batch, lengths = features(100)
    with torch.no_grad():
        padded, _ = model.encoder(batch, lengths - 40)
        alone, _ = model.encoder(batch[:, :, :60], lengths - 40)
    torch.testing.assert_close(padded[:, :, :15], alone, atol=1e-5, rtol=1e-5)


def test_exported_encoder_equals_the_network(model, directory):
    networks = load_networks(ModelFiles.find(directory), RuntimeOptions(provider="cpu"), n_vocabulary=40)
    batch, lengths = features(131, 64)
    with torch.no_grad():
        expected, counts = model.encoder(batch, lengths)
    encoded, encoded_lengths = networks.encoder(batch.numpy(), lengths.numpy())
    assert encoded_lengths.tolist() == counts.tolist() == [33, 16]
    for row, count in enumerate(counts):
        np.testing.assert_allclose(encoded[row, :count], expected[row, :, :count].T, atol=2e-5)


def test_exported_encoder_takes_any_batch(directory):
    networks = load_networks(ModelFiles.find(directory), RuntimeOptions(provider="cpu"), n_vocabulary=40)
    assert encodes_alike(networks.encoder)


def test_weights_survive_the_graphs(model, directory):
    other = Transducer(CONFIGS["tiny"])
    read_weights(other, directory, torch.full((64,), -8.0), torch.full((64,), 2.0))
    batch, lengths = features(90)
    with torch.no_grad():
        torch.testing.assert_close(
            other.encoder(batch, lengths)[0], model.encoder(batch, lengths)[0], atol=2e-5, rtol=1e-4
        )
    for name in ("predictor", "joiner"):
        restored, original = getattr(other, name).state_dict(), getattr(model, name).state_dict()
        assert all(torch.equal(restored[key], original[key]) for key in original)


def test_weights_of_another_size_are_refused(directory):
    with pytest.raises(ModelError, match=r"expected .* of shape .* model of the same sizes"):
        read_weights(Transducer(CONFIGS["demo"]), directory, MEAN, DEVIATION)


def test_export_removes_graphs_quantised_from_other_weights(model, tmp_path):
    stale = tmp_path / f"{PREFIX}_encoder_int8.onnx"
    stale.write_bytes(b"old")
    export(model, tmp_path)
    assert not stale.exists()
    assert not list(tmp_path.glob("*partial*"))


def test_directory_describes_itself(directory):
    described = json.loads((directory / "config.json").read_text())
    assert described == {
        "model_type": "gigaam-v3-e2e-rnnt", "version": "v3", "features_size": 64,
        "subsampling_factor": 4, "max_tokens_per_step": 10,
    }  # fmt: skip


def test_random_weights_emit_different_tokens_about_every_seventh_frame(tmp_path):
    network = Transducer(CONFIGS["tiny"])
    randomise(network, frames_per_token=7.0)
    export(network, tmp_path)
    write_placeholder_vocabulary(network.config.n_tokens, tmp_path / VOCABULARY_NAME)
    networks = load_networks(ModelFiles.find(tmp_path), RuntimeOptions(provider="cpu"), n_vocabulary=40)
    recognizer = Recognizer(networks, blank_id=39)
    waveforms = [decode_audio(path) for path in sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac"))]
    tokens = Tokens.concatenate(recognition.tokens for recognition in recognizer(waveforms))
    n_frames = sum(len(waveform) for waveform in waveforms) / 640
    assert n_frames / 10 < len(tokens) < n_frames / 5
    assert len(set(zip(tokens.frames, tokens.ids, strict=True))) > len(tokens) / 4
    assert len(set(tokens.ids.tolist())) > 5


def test_full_size_has_the_real_encoders_parameters():
    with torch.device("meta"):
        encoder = Transducer(CONFIGS["full"]).encoder
    n_bytes = 4 * sum(parameter.numel() for parameter in encoder.parameters())
    assert n_bytes == pytest.approx(885e6, rel=0.01)
