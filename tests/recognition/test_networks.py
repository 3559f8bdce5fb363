from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from gigastt_lab.errors import ModelError, ModelNotFoundError
from gigastt_lab.graphs.head import CompactJoiner, CompactPredictor, write_head
from gigastt_lab.models.files import PREFIX, ModelFiles
from gigastt_lab.recognition import networks
from gigastt_lab.recognition.networks import Joiner, Networks, Predictor, load_networks
from gigastt_lab.recognition.search import GreedySearch
from gigastt_lab.runtime.sessions import RuntimeOptions
from tests.support.graphs import NEW_NAMES, OLD_NAMES, Export, Sizes, write_model
from tests.support.search_reference import frame_by_frame

CPU = RuntimeOptions(provider="cpu", threads=1)
SIZES = Sizes()
EXPORTS = {
    "old names": Export(),
    "new names": Export(states=NEW_NAMES),
    "one row": Export(batch=1),
    "gemm": Export(form="gemm"),
    "computed constants": Export(form="constants"),
    "other dtypes": Export(length_type=TensorProto.INT32, token_type=TensorProto.INT32),
}
UNRECOGNISED = {
    "two layers": (Export(n_layers=2), "comes from LSTM, not Gather"),
    "tanh": (Export(activation="Tanh"), "comes from Tanh, not Relu"),
}


def load(directory: Path, n_vocabulary: int = SIZES.n_vocabulary, **options: str) -> Networks:
    return load_networks(ModelFiles.find(directory), CPU, n_vocabulary=n_vocabulary, **options)


def assert_search_is_frame_by_frame(loaded: Networks, directory: Path) -> None:
    """Windows, batches and compact graphs change no token of what the graphs say one by one."""
    reference = load(directory, head="graphs")
    lengths = np.array([0, 17, 9])
    encoded = np.random.default_rng(1).standard_normal((3, 17, SIZES.n_encoded), np.float32)
    blank = SIZES.n_vocabulary - 1
    search = GreedySearch(loaded.predictor, loaded.joiner, blank_id=blank, max_symbols=3)
    results, _ = search(encoded, lengths)
    for tokens, frames, length in zip(results, encoded, lengths, strict=True):
        expected = frame_by_frame(reference.predictor, reference.joiner, frames[:length], blank, 3)
        assert list(zip(tokens.ids, tokens.frames, strict=True)) == [e[:2] for e in expected]
        np.testing.assert_allclose(tokens.probabilities, [e[2] for e in expected], rtol=1e-4)


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_every_export_loads_compact(tmp_path: Path, export: Export) -> None:
    loaded = load(write_model(tmp_path, export=export, blank_bias=2.0))
    assert isinstance(loaded.predictor, CompactPredictor)
    assert isinstance(loaded.joiner, CompactJoiner)
    assert_search_is_frame_by_frame(loaded, tmp_path)


@pytest.mark.parametrize(("export", "reason"), UNRECOGNISED.values(), ids=UNRECOGNISED)
def test_unknown_structure_falls_back_to_the_graphs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, export: Export, reason: str
) -> None:
    loaded = load(write_model(tmp_path, export=export, blank_bias=2.0))
    assert isinstance(loaded.predictor, Predictor)
    assert isinstance(loaded.joiner, Joiner)
    assert reason in caplog.text
    assert_search_is_frame_by_frame(loaded, tmp_path)


def test_weights_that_give_other_results_fall_back(
    own_cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "one", seed=1)
    other = write_model(tmp_path / "other", seed=2)

    def write_another_models(_predictor: Path, _joiner: Path, folder: Path) -> None:
        files = ModelFiles.find(other)
        write_head(files.predictor, files.joiner, folder)

    monkeypatch.setattr(networks, "write_head", write_another_models)
    assert isinstance(load(tmp_path / "one").predictor, Predictor)
    assert "give other results than the graphs" in caplog.text


def test_compact_is_logged_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        load(write_model(tmp_path))
    assert caplog.records == []


def test_the_head_is_made_once(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def write_and_note(predictor: Path, joiner: Path, folder: Path) -> None:
        made.append(joiner)
        write_head(predictor, joiner, folder)

    monkeypatch.setattr(networks, "write_head", write_and_note)
    one, other = write_model(tmp_path / "one", seed=1), write_model(tmp_path / "other", seed=2)
    for model in (one, one, other, other):
        assert_search_is_frame_by_frame(load(model), model)
    assert made == [ModelFiles.find(model).joiner for model in (one, other)]


def test_weights_in_another_file_are_not_kept(
    own_cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Their changes would go unnoticed: the cache knows a model by its graphs' checksums."""
    model = write_model(tmp_path / "model", blank_bias=2.0)
    joiner = ModelFiles.find(model).joiner
    graph = onnx.load(joiner)
    onnx.save(graph, joiner, save_as_external_data=True, location="joint.data", size_threshold=64)
    for _ in range(2):
        loaded = load(model)
        assert isinstance(loaded.joiner, Joiner)
    assert caplog.text.count("has weights in another file") == 2
    assert_search_is_frame_by_frame(loaded, model)


def test_a_damaged_head_is_made_again(
    own_cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = write_model(tmp_path / "model")
    load(model)
    (graph,) = own_cache.glob("heads/*/scores.onnx")
    graph.write_bytes(b"no graph")
    assert isinstance(load(model).joiner, Joiner)  # as it is, this once
    assert "was damaged, and is made again next time" in caplog.text
    assert isinstance(load(model).joiner, CompactJoiner)


def test_a_head_that_cannot_be_kept_is_compact_all_the_same(
    own_cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own_cache.touch()  # no directory
    model = write_model(tmp_path / "model", blank_bias=2.0)
    loaded = load(model)
    assert isinstance(loaded.joiner, CompactJoiner)
    assert_search_is_frame_by_frame(loaded, model)
    assert f"{PREFIX}_decoder.onnx cannot be kept" in caplog.text


@pytest.mark.parametrize("states", [OLD_NAMES, NEW_NAMES])
@pytest.mark.parametrize("sizes", [SIZES, Sizes(4, 3, 2, 1, 3), Sizes(16, 24, 33, 17, 40)])
def test_compact_head_equals_the_graphs(tmp_path: Path, states: tuple[str, ...], sizes: Sizes) -> None:
    write_model(tmp_path, sizes, Export(states=states), seed=sizes.n_hidden)
    compact, graphs = (load(tmp_path, sizes.n_vocabulary, head=head) for head in ("auto", "graphs"))
    rng = np.random.default_rng(0)
    compact_state = state = np.zeros((4, compact.predictor.state_size), np.float32)
    for _ in range(5):
        tokens = rng.integers(sizes.n_vocabulary, size=4)
        encoded = rng.standard_normal((4, 3, sizes.n_encoded), np.float32)
        compact_output, compact_state = compact.predictor(tokens, compact_state)
        output, state = graphs.predictor(tokens, state)
        np.testing.assert_allclose(compact_state, state, atol=1e-5)
        scores = compact.joiner(compact.joiner.project(encoded), compact_output)
        log_probabilities = graphs.joiner(graphs.joiner.project(encoded), output)
        assert scores.shape == (4, 3, sizes.n_vocabulary)
        assert scores.dtype == log_probabilities.dtype == np.float32
        normalised = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
        np.testing.assert_allclose(normalised, log_probabilities, atol=1e-4)


def test_int8_head_does_not_depend_on_its_batch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from onnxruntime.quantization import quantize_dynamic

    write_model(tmp_path / "fp32", blank_bias=2.0)
    (tmp_path / "int8").mkdir()
    for path in (tmp_path / "fp32").iterdir():
        target = tmp_path / "int8" / path.name.replace(".onnx", ".int8.onnx")
        if path.stem.endswith(("decoder", "joint")):
            quantize_dynamic(path, target)
        else:
            shutil.copy(path, target)
    caplog.clear()
    loaded = load(tmp_path / "int8")
    assert "_joint.int8.onnx is quantised dynamically" in caplog.text
    assert "running predictor and joiner as they are" in caplog.text
    assert_search_is_frame_by_frame(loaded, tmp_path / "int8")


@pytest.mark.parametrize(
    "export",
    [
        Export(),
        Export(batch=1),
        Export(length_type=TensorProto.INT32),
        Export(feature_type=TensorProto.FLOAT16),
    ],
    ids=["batch", "one row", "int32 lengths", "fp16"],
)
def test_encoder(tmp_path: Path, export: Export) -> None:
    encoder = load(write_model(tmp_path, export=export)).encoder
    assert encoder.n_mels == SIZES.n_mels
    assert encoder.session.provider == "cpu"
    features = np.random.default_rng(0).standard_normal((2, SIZES.n_mels, 9), np.float32)
    encoded, lengths = encoder(features, np.array([9, 4]))
    assert encoded.shape == (2, 3, SIZES.n_encoded)
    assert encoded.dtype == np.float32
    assert encoded.flags.c_contiguous
    assert lengths.dtype == np.int64
    assert lengths.tolist() == [3, 1]
    model = onnx.load(tmp_path / f"{PREFIX}_encoder.onnx")
    weight = next(onnx.numpy_helper.to_array(t) for t in model.graph.initializer if len(t.dims) == 3)
    expected = np.einsum("oi,bit->bto", weight[:, :, 0], features[:, :, ::4])
    for row, count, its in zip(encoded, lengths, expected, strict=True):
        np.testing.assert_allclose(row[:count], its[:count], atol=0.02 if export.feature_type != 1 else 1e-5)


@pytest.mark.parametrize(
    ("part", "sizes", "message"),
    [
        ("encoder", Sizes(n_encoded=9), r"encoder\.onnx: its encoder frames are 9, but 6 wide in the joiner"),
        ("decoder", Sizes(n_hidden=9), r"decoder\.onnx: its output is 9, but 5 wide in the joiner"),
        ("vocab", Sizes(n_vocabulary=10), r"vocab\.txt: its pieces are 10, but 11 in the joiner"),
    ],
)
def test_parts_of_different_models(tmp_path: Path, part: str, sizes: Sizes, message: str) -> None:
    write_model(tmp_path / "one")
    write_model(tmp_path / "other", sizes)
    (name,) = (path.name for path in (tmp_path / "other").iterdir() if f"_{part}." in path.name)
    shutil.copy(tmp_path / "other" / name, tmp_path / "one" / name)
    with pytest.raises(ModelError, match=message):
        load(tmp_path / "one", sizes.n_vocabulary)


def test_graphs_under_each_others_names(tmp_path: Path) -> None:
    write_model(tmp_path)
    shutil.copy(tmp_path / f"{PREFIX}_decoder.onnx", tmp_path / f"{PREFIX}_joint.onnx")
    with pytest.raises(
        ModelError, match=r"joint\.onnx is not a joiner: its inputs are x.*, h\.1.*ranks \(3, 3\)"
    ):
        load(tmp_path)


def test_an_open_width(tmp_path: Path) -> None:
    path = write_model(tmp_path) / f"{PREFIX}_joint.onnx"
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "D"
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"enc\[None, None, 1\] leaves the number of encoder channels open"):
        load(tmp_path)


def test_a_broken_graph(tmp_path: Path) -> None:
    path = write_model(tmp_path) / f"{PREFIX}_decoder.onnx"
    path.write_bytes(b"garbage")
    with pytest.raises(ModelError, match=r"decoder\.onnx cannot be loaded.*download the model again"):
        load(tmp_path)


def touch(directory: Path, *names: str) -> Path:
    directory.mkdir()
    for name in names:
        (directory / f"{PREFIX}_{name}").touch()
    return directory


@pytest.mark.parametrize(
    ("names", "precision", "expected"),
    [
        # gigastt after its quantisation
        (
            ["encoder.onnx", "encoder_int8.onnx", "decoder.onnx", "joint.onnx"],
            "auto",
            ["encoder_int8.onnx", "decoder.onnx", "joint.onnx", "int8"],
        ),
        (
            ["encoder.onnx", "encoder_int8.onnx", "decoder.onnx", "joint.onnx"],
            "fp32",
            ["encoder.onnx", "decoder.onnx", "joint.onnx", "fp32"],
        ),
        # the Hub, FP32 only
        (
            ["encoder.onnx", "decoder.onnx", "joint.onnx"],
            "auto",
            ["encoder.onnx", "decoder.onnx", "joint.onnx", "fp32"],
        ),
        # the Hub's INT8 files alone, as onnx-asr fetches them
        (
            ["encoder.int8.onnx", "decoder.int8.onnx", "joint.int8.onnx"],
            "int8",
            ["encoder.int8.onnx", "decoder.int8.onnx", "joint.int8.onnx", "int8"],
        ),
        # everything: the head in FP32
        (
            [f"{graph}{kind}.onnx" for graph in ("encoder", "decoder", "joint") for kind in ("", ".int8")],
            "int8",
            ["encoder.int8.onnx", "decoder.onnx", "joint.onnx", "int8"],
        ),
    ],
)
def test_finds_files(tmp_path: Path, names: list[str], precision: str, expected: list[str]) -> None:
    directory = touch(tmp_path / "model", *names, "vocab.txt")
    files = ModelFiles.find(directory, precision)  # type: ignore[arg-type]
    found = [path.name.removeprefix(f"{PREFIX}_") for path in (files.encoder, files.predictor, files.joiner)]
    assert [*found, files.precision] == expected
    assert files.vocabulary.parent == directory


def test_missing_files_are_listed(tmp_path: Path) -> None:
    directory = touch(tmp_path / "model", "encoder.onnx", "decoder.onnx")
    with pytest.raises(ModelNotFoundError) as caught:
        ModelFiles.find(directory, "int8")
    for name in ("encoder_int8.onnx or", "encoder.int8.onnx", "joint.onnx", "vocab.txt", "quantize"):
        assert name in str(caught.value)
    assert "decoder" not in str(caught.value)
    with pytest.raises(ModelNotFoundError, match="no such model directory"):
        ModelFiles.find(tmp_path / "nowhere")


def test_onnx_is_imported_late() -> None:
    code = "import sys, gigastt_lab.recognition.networks; print(*(n in sys.modules for n in (%r, %r)))"
    code %= ("onnxruntime", "onnx")
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.split() == ["True", "False"]


@pytest.mark.slow
def test_a_model_that_is_prepared_needs_no_onnx(own_cache: Path) -> None:
    """It takes 10 MB and a while."""
    code = "import sys, gigastt_lab; gigastt_lab.load_engine('demo'); print('onnx' in sys.modules)"
    outputs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [output.strip() for output in outputs] == ["True", "False"]
