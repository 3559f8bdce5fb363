"""FP32 token sequences against those of the onnx-asr package on the same directories.

onnx-asr is installed for this check only. The packaged demo model is always compared, a tiny random
one where torch is there to make it, and the directories that GIGASTT_TEST_MODEL_DIRS names (separated
as in PATH), such as `python -m gigastt_lab.training export --size full --random --out DIR` writes.
"""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.engine import load_engine
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY, DEMO_DIRECTORY
from gigastt_lab.recognition.networks import load_networks
from gigastt_lab.recognition.recognizer import Recognizer
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.runtime.sessions import RuntimeOptions

onnx_asr = pytest.importorskip("onnx_asr", reason="onnx-asr is not installed: pip install onnx-asr")

OTHER_DIRECTORIES = [Path(p) for p in os.environ.get("GIGASTT_TEST_MODEL_DIRS", "").split(os.pathsep) if p]


def clips():
    """The sample clips, and the real ones where they are."""
    golos = os.environ.get("GIGASTT_TEST_GOLOS")
    files = sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac")) + (sorted(Path(golos).glob("*.wav")) if golos else [])
    return {file.name: decode_audio(file) for file in files}


@pytest.fixture(scope="module")
def tiny_directory(tmp_path_factory):
    for package in ("torch", "sentencepiece", "jiwer", "pymorphy3", "numba"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install gigastt-lab[training]")
    from gigastt_lab.training.__main__ import main

    directory = tmp_path_factory.mktemp("tiny")
    main(["export", "--size", "tiny", "--random", "--out", str(directory)])
    return directory


def compare(directory):
    """The text of `Engine`, and tokens with their frames, of every clip by both; returns how many tokens."""
    files = ModelFiles.find(directory, "fp32")
    tokenizer = Tokenizer.from_file(files.vocabulary)
    ids = {piece.replace("▁", " "): i for i, piece in enumerate(tokenizer.pieces)}
    networks = load_networks(files, RuntimeOptions(provider="cpu"), n_vocabulary=len(tokenizer))
    recognizer = Recognizer(networks, blank_id=tokenizer.blank_id)
    engine = load_engine(model_dir=directory, precision="fp32", provider="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the other package
        reference = onnx_asr.load_model(
            "gigaam-v3-e2e-rnnt", directory, providers=["CPUExecutionProvider"]
        ).with_timestamps()
    n_tokens = 0
    for name, waveform in clips().items():
        (ours,) = recognizer([waveform])
        theirs = reference.recognize(waveform, sample_rate=16_000)
        # A difference must be explained by the last bits of the two front ends: none has been seen.
        assert ours.tokens.ids.tolist() == [ids[token] for token in theirs.tokens], name
        frames = np.round(np.array(theirs.timestamps) / 0.04).astype(int)
        np.testing.assert_array_equal(ours.tokens.frames, frames, err_msg=name)
        text = engine.transcribe(waveform, sample_rate=16_000).text
        assert text == tokenizer.text(ids[token] for token in theirs.tokens), name
        n_tokens += len(ours.tokens)
    return n_tokens


def test_demo_model_gives_the_same_tokens():
    assert compare(DEMO_DIRECTORY) > 200


def test_tiny_random_model_gives_the_same_tokens(tiny_directory):
    assert compare(tiny_directory) > 200


@pytest.mark.parametrize("directory", OTHER_DIRECTORIES, ids=lambda path: path.name)
def test_named_directories_give_the_same_tokens(directory):
    assert compare(directory) > 100
