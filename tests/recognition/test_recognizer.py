"""Features, encoder and search together: what shares a batch changes nothing."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper, parser

from gigastt_lab.errors import AudioError
from gigastt_lab.models.files import PREFIX, ModelFiles
from gigastt_lab.models.registry import DEMO_DIRECTORY
from gigastt_lab.recognition.networks import Encoder, Networks, load_networks
from gigastt_lab.recognition.recognizer import Recognition, Recognizer, encodes_alike
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.runtime.sessions import RuntimeOptions
from tests.support.audio_files import RATE
from tests.support.examples import examples
from tests.support.graphs import Sizes, write_model

if TYPE_CHECKING:
    from tests.conftest import Clip

CPU = RuntimeOptions(provider="cpu")
SIZES = Sizes(n_mels=64)

# Encoders of 4x subsampling with the weights w1 (6, 64, 3), b1, w2 (6, 6, 3) and b2 (6,). The frames of
# one utterance depend on the others of its batch, each time by another way; but for the first.
LENGTH = """
    three = Constant <value_int = 3> ()
    four = Constant <value_int = 4> ()
    padded = Add ({length}, three)
    frames = Div (padded, four)
    encoded_len = Cast <to = 6> (frames)
"""
OWN_LENGTH = LENGTH.format(length="length")
CONVOLUTIONS = """
    first = Conv <strides = [2], pads = [1, 1]> ({features}, w1, b1)
    hidden = Relu (first)
    encoded = Conv <strides = [2], pads = [1, 1]> (hidden, w2, b2)
"""
INDEPENDENT = (
    """
    encoded = Conv <strides = [4], pads = [1, 2]> (audio_signal, w1, b1)
    """
    + OWN_LENGTH
)
MIXING = {
    # The second convolution sees b1 behind the end of a padded utterance, and zeros behind that of one alone.
    "padding leaks": CONVOLUTIONS.format(features="audio_signal") + OWN_LENGTH,
    # One scale for the whole batch.
    "dynamic quantisation": """
        steps, scale, zero = DynamicQuantizeLinear (audio_signal)
        rounded = DequantizeLinear (steps, scale, zero)
        encoded = Conv <strides = [4], pads = [1, 2]> (rounded, w1, b1)
    """
    + OWN_LENGTH,
    # Every utterance is said to be as long as the longest.
    "lengths of the batch": """
        encoded = Conv <strides = [4], pads = [1, 2]> (audio_signal, w1, b1)
        longest = Shape <start = 2, end = 3> (audio_signal)
        shape = Shape (length)
        lengths = Expand (longest, shape)
    """
    + LENGTH.format(length="lengths"),
}


class CountingEncoder(Encoder):
    """Notes how many utterances each call encodes."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder.session)
        self.batches: list[int] = []

    def __call__(self, features: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.batches.append(len(features))
        return super().__call__(features, lengths)


def load(directory: Path, blank_id: int, n_vocabulary: int) -> Recognizer:
    loaded = load_networks(ModelFiles.find(directory, "fp32"), CPU, n_vocabulary=n_vocabulary)
    counting = Networks(CountingEncoder(loaded.encoder), loaded.predictor, loaded.joiner)
    return Recognizer(counting, blank_id=blank_id, max_symbols=3)


def tiny(directory: Path, body: str) -> Recognizer:
    """A random model whose encoder computes `body`."""
    write_model(directory, SIZES, blank_bias=2.0)
    graph = (
        '<ir_version: 8, opset_import: ["" : 17]> tiny (float[B, 64, T] audio_signal, int64[B] length) '
        f"=> (float[B, 6, F] encoded, int32[B] encoded_len) {{ {body} }}"
    )
    model = parser.parse_model(graph)
    rng = np.random.default_rng(0)
    for name, shape in {"w1": (6, 64, 3), "b1": 6, "w2": (6, 6, 3), "b2": 6}.items():
        weights = rng.normal(0.0, 0.1, shape).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(weights, name))
    onnx.save(model, directory / f"{PREFIX}_encoder.onnx")
    return load(directory, SIZES.n_vocabulary - 1, SIZES.n_vocabulary)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    tokenizer = Tokenizer.from_file(ModelFiles.find(DEMO_DIRECTORY, "fp32").vocabulary)
    return load(DEMO_DIRECTORY, tokenizer.blank_id, len(tokenizer))


@pytest.fixture(scope="module")
def waveforms(clips: list[Clip]) -> list[np.ndarray]:
    """From nothing to 10 s, speech and silence."""
    whole = [clip.waveform for clip in clips[::4]]
    short = [np.zeros(n, np.float32) for n in (0, 319, 320, RATE)]
    return [*whole, *short, clips[0].waveform[:5_000], np.concatenate(whole)[: 10 * RATE]]


@pytest.fixture(scope="module")
def alone(recognizer: Recognizer, waveforms: list[np.ndarray]) -> list[Recognition]:
    return [recognizer([waveform])[0] for waveform in waveforms]


def assert_same_tokens(found: Recognition, expected: Recognition) -> None:
    assert found.tokens.ids.tolist() == expected.tokens.ids.tolist()
    assert found.tokens.frames.tolist() == expected.tokens.frames.tolist()
    np.testing.assert_allclose(found.tokens.probabilities, expected.tokens.probabilities, atol=1e-3)


def noises() -> list[np.ndarray]:
    """Loud and quiet, long and short: what mixing would show on."""
    rng = np.random.default_rng(0)
    lengths_and_levels = ((16_000, 0.3), (9_920, 0.003), (6_000, 0.1), (100, 0.1), (12_000, 0.01))
    return [rng.normal(0.0, level, n).astype(np.float32) for n, level in lengths_and_levels]


@settings(max_examples=examples(15), derandomize=True)
@given(order=st.lists(st.integers(0, 11), min_size=1, max_size=8))
def test_what_shares_a_batch_and_in_which_order_changes_no_token(
    recognizer: Recognizer, waveforms: list[np.ndarray], alone: list[Recognition], order: list[int]
) -> None:
    together = recognizer([waveforms[i] for i in order])

    assert len(together) == len(order)
    for found, i in zip(together, order, strict=True):
        assert_same_tokens(found, alone[i])


def test_the_waveforms_give_many_tokens(waveforms: list[np.ndarray], alone: list[Recognition]) -> None:
    assert len(waveforms) == 12  # what the test above draws from
    assert sum(len(recognition.tokens) for recognition in alone) > 100


def test_no_waveforms(recognizer: Recognizer) -> None:
    assert recognizer([]) == []


def test_waveforms_without_a_frame_do_not_reach_the_encoder(recognizer: Recognizer) -> None:
    recognizer.encoder.batches.clear()

    results = recognizer([np.zeros(n, np.float32) for n in (0, 1, 319)])

    assert [len(result.tokens) for result in results] == [0, 0, 0]
    assert recognizer.encoder.batches == []


@pytest.mark.parametrize(
    "waveform", [np.zeros((2, 400), np.float32), np.zeros(400), np.zeros(400, np.int16)], ids=str
)
def test_other_shapes_and_types_are_refused(recognizer: Recognizer, waveform: np.ndarray) -> None:
    with pytest.raises(AudioError, match="pass mono samples"):
        recognizer([np.zeros(400, np.float32), waveform])


def test_a_graph_that_keeps_utterances_apart_encodes_them_together(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    recognizer = tiny(tmp_path, INDEPENDENT)
    alone = [recognizer([noise])[0] for noise in noises()]
    assert encodes_alike(recognizer.encoder)

    recognizer(noises())
    recognizer.encoder.batches.clear()
    together = recognizer(noises())

    assert recognizer.encoder.batches == [4]  # the fifth is shorter than a window
    assert sum(len(expected.tokens) for expected in alone) > 10
    for found, expected in zip(together, alone, strict=True):
        assert_same_tokens(found, expected)
    assert "one by one" not in caplog.text


@pytest.mark.parametrize("body", MIXING.values(), ids=MIXING)
def test_a_graph_that_mixes_utterances_encodes_them_one_by_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    caplog.set_level(logging.INFO)
    recognizer = tiny(tmp_path, body)
    alone = [recognizer([noise])[0] for noise in noises()]
    assert not encodes_alike(recognizer.encoder)

    recognizer(noises())
    recognizer.encoder.batches.clear()
    together = recognizer(noises())

    assert recognizer.encoder.batches == [1, 1, 1, 1]
    assert sum(len(expected.tokens) for expected in alone) > 10
    for found, expected in zip(together, alone, strict=True):
        assert_same_tokens(found, expected)
    assert caplog.text.count("_encoder.onnx mixes the utterances of a batch") == 1  # tried once


def test_shares_of_the_time_follow_the_lengths_and_sum_up(
    recognizer: Recognizer, waveforms: list[np.ndarray]
) -> None:
    batch = [waveform for waveform in waveforms if len(waveform) >= 320]
    n_frames = np.array([recognizer.spec.n_frames(len(waveform)) for waveform in batch])

    started = time.perf_counter()
    timings = [recognition.timings for recognition in recognizer(batch)]
    wall_s = time.perf_counter() - started

    for stage in ("features_s", "encoder_s", "search_s"):
        seconds = np.array([getattr(timing, stage) for timing in timings])
        assert (seconds > 0).all()
        np.testing.assert_allclose(seconds / seconds.sum(), n_frames / n_frames.sum())
    assert sum(timing.total_s for timing in timings) <= wall_s
    assert all(timing.decode_s == 0 for timing in timings)
