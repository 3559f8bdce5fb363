"""INT8 weights: which saturate without VNNI, how they are made unsigned, and what an engine does about them.

A processor without VNNI is pretended here; `processors/` runs the same on one, emulated.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

from gigastt_lab import engine
from gigastt_lab.__main__ import main
from gigastt_lab.errors import ModelError
from gigastt_lab.graphs import int8_weights
from gigastt_lab.graphs.encoder import loading, prepare
from gigastt_lab.graphs.weight_range import EIGHT_BITS
from gigastt_lab.models.files import ENCODER_NAMES
from gigastt_lab.models.registry import DEMO_DIRECTORY
from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.quantization.comparison import relative_error
from gigastt_lab.quantization.quantize import quantize_encoder
from gigastt_lab.recognition import precision as choice
from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.runtime.sessions import RuntimeOptions, build_session, load_session

CPU = RuntimeOptions(provider="cpu", threads=1)
FP32, INT8 = (ENCODER_NAMES[precision][0] for precision in ("fp32", "int8"))

LARGE = np.full((6, 4), 127, np.int8)
SMALL = np.tile(np.array([[127, -127], [1, 127]], np.int8), (3, 2))
LSTM = "y = com.microsoft.DynamicQuantizeLSTM <hidden_size = 1> (x, w, w)"
DEQUANTIZED = "a = DequantizeLinear (x, x)\nb = DequantizeLinear (w, w)"


def product(weight: np.ndarray, node: str = "y = MatMulInteger (x, w)") -> bytes:
    """(N, n_in) unsigned bytes to (N, n_out) sums."""
    model = parser.parse_model(f"""
        <ir_version: 8, opset_import: ["" : 17]>
        g (uint8[N, {weight.shape[0]}] x) => (int32[N, M] y) {{ {node} }}
    """)
    model.graph.initializer.append(numpy_helper.from_array(weight, "w"))
    return model.SerializeToString()


@pytest.fixture(scope="module")
def old_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo model with an INT8 encoder as version 0.1.0 wrote them: eight bits, pairs of any size."""
    directory = tmp_path_factory.mktemp("old")
    shutil.copytree(DEMO_DIRECTORY, directory, dirs_exist_ok=True)
    quantize_encoder(
        directory / FP32,
        directory / INT8,
        recipe="matmul",
        calibration=(),
        allowed=EIGHT_BITS,
        overwrite=True,
    )
    return directory


@pytest.fixture
def without_vnni(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A processor that adds pairs in 16 bits, as far as this process asks. INT8 is fast on it."""
    monkeypatch.setattr(int8_weights, "int8_is_exact", lambda: False)
    monkeypatch.setattr(choice, "int8_is_faster", lambda: True)
    choice._warn_of_old_weights.cache_clear()
    yield
    choice._warn_of_old_weights.cache_clear()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (product(LARGE), True),
        (product(SMALL), False),
        (product(np.array([[64], [65]], np.int8)), True),
        (product(np.array([[0], [64], [65], [0]], np.int8)), False),  # they are no pair
        (product(LARGE.astype(np.uint8)), False),  # another kernel, which is exact
        (product(LARGE, "same = Identity (w)\ny = MatMulInteger (x, same)"), True),
        (product(np.full((4, 4, 1), 65, np.int8), "y = ConvInteger (x, w)"), True),
        (product(np.full((4, 4, 1), 64, np.int8), "y = ConvInteger (x, w)"), False),
        (product(LARGE, "y = MatMulInteger (x, x)"), False),  # multiplied by no weight
        (product(LARGE, LSTM), True),
        (product(SMALL, LSTM), False),
        (product(LARGE, f"{DEQUANTIZED}\ny = MatMul (a, b)"), True),  # becomes a product of integers
        (product(LARGE, f"{DEQUANTIZED}\ny = MatMul (x, b)"), False),  # a weight alone: MatMulNBits
        (product(np.full((4, 4, 1), 65, np.int8), f"{DEQUANTIZED}\ny = Conv (a, b)"), True),
        (b"no graph", False),  # whoever loads it says so
    ],
)
def test_graphs_whose_sums_may_saturate(
    tmp_path: Path, without_vnni: None, monkeypatch: pytest.MonkeyPatch, content: bytes, expected: bool
) -> None:
    monkeypatch.setenv("GIGASTT_LAB_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "graph_int8.onnx"
    path.write_bytes(content)
    assert int8_weights.saturates_here(path) is expected
    monkeypatch.setattr(int8_weights, "_has_large_pairs", lambda path: pytest.fail("looked at twice"))
    assert int8_weights.saturates_here(path) is expected
    fp32 = shutil.copy(path, tmp_path / "graph.onnx")
    assert int8_weights.saturates_here(Path(fp32)) is False
    monkeypatch.setattr(int8_weights, "int8_is_exact", lambda: True)
    assert int8_weights.saturates_here(path) is False


def test_a_file_that_is_not_there_does_not_saturate(tmp_path: Path, without_vnni: None) -> None:
    assert int8_weights.saturates_here(tmp_path / "none_int8.onnx") is False


def test_where_memory_does_not_suffice_weights_are_taken_for_large(
    without_vnni: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(path: Path) -> bool:
        raise MemoryError

    monkeypatch.setattr(int8_weights, "noted_of", lambda path, what, find_out: find_out())
    monkeypatch.setattr(int8_weights, "_has_large_pairs", out_of_memory)
    assert int8_weights.saturates_here(DEMO_DIRECTORY / INT8) is True
    monkeypatch.setattr(onnx, "load", out_of_memory)
    with pytest.raises(ModelError, match=r"not enough memory .*--force"):
        int8_weights.load_exactly(DEMO_DIRECTORY / INT8, CPU)


def test_nothing_is_noted_of_weights_in_another_file(
    tmp_path: Path, without_vnni: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may change without the graph's own file."""
    monkeypatch.setenv("GIGASTT_LAB_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "graph_int8.onnx"
    for weight, expected in ((LARGE, True), (SMALL, False), (LARGE, True)):
        model = onnx.load_from_string(product(weight))
        onnx.save(model, path, save_as_external_data=True, location="data", size_threshold=0)
        assert int8_weights.saturates_here(path) is expected
        (tmp_path / "data").unlink()
        assert int8_weights.saturates_here(path) is False


def unsigned(content: bytes, n_weights: int = 1) -> bytes:
    """A graph with unsigned weights, without the signed ones."""
    model = onnx.load_from_string(content)
    assert int8_weights.make_unsigned(model.graph) >= n_weights
    multiplied = {name for node in model.graph.node if node.op_type != "Identity" for name in node.input}
    signed = {tensor.name for tensor in model.graph.initializer if tensor.data_type == tensor.INT8}
    assert not signed & multiplied
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize("n_rows", [1, 2, 5, 33])
def test_small_pairs_are_exact_and_so_are_unsigned_weights(n_rows: int) -> None:
    """On this processor, whichever it is."""
    rng = np.random.default_rng(n_rows)
    graphs = [(SMALL, product(SMALL)), (SMALL, unsigned(product(SMALL))), (LARGE, unsigned(product(LARGE)))]
    graphs.append((LARGE, unsigned(product(LARGE, "same = Identity (w)\ny = MatMulInteger (x, same)"))))
    for x in (np.full((n_rows, 6), 255, np.uint8), rng.integers(0, 256, (n_rows, 6)).astype(np.uint8)):
        for weight, content in graphs:
            (sums,) = build_session(content, "INT8", CPU).run(x)
            np.testing.assert_array_equal(sums, x.astype(int) @ weight.astype(int))


@pytest.mark.parametrize("zero", [np.int8(3), np.array([-128, 0, 5, 127], np.int8)])
def test_zero_points_move_with_their_weights(zero: np.ndarray) -> None:
    model = onnx.load_from_string(product(LARGE, "y = MatMulInteger (x, w, a, z)"))
    model.graph.initializer.extend(
        [numpy_helper.from_array(np.asarray(zero), "z"), numpy_helper.from_array(np.array(7, np.uint8), "a")]
    )
    x = np.random.default_rng(0).integers(0, 256, (5, 6)).astype(np.uint8)
    (sums,) = build_session(unsigned(model.SerializeToString(), 2), "INT8", CPU).run(x)
    np.testing.assert_array_equal(sums, (x.astype(int) - 7) @ (LARGE.astype(int) - zero))


def test_dequantized_products_are_exact_with_unsigned_weights() -> None:
    """Graph of ONNX Runtime's tool for static quantization, one scale for each column."""
    model = parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        g (float[N, 6] x) => (float[N, M] y) {
            q = QuantizeLinear (x, one, zero)
            a = DequantizeLinear (q, one, zero)
            b = DequantizeLinear <axis = 1> (w, scales)
            y = MatMul (a, b)
        }
    """)
    scales = np.array([0.5, 1.0, 2.0, 4.0], np.float32)
    constants = {"w": LARGE, "scales": scales, "one": np.float32(1), "zero": np.uint8(0)}
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()
    )
    x = np.random.default_rng(0).integers(0, 256, (5, 6)).astype(np.float32)
    (found,) = build_session(unsigned(model.SerializeToString()), "INT8", CPU).run(x)
    np.testing.assert_allclose(found, x @ LARGE * scales, rtol=1e-6)


def test_an_int8_predictor_is_exact_with_unsigned_weights(tmp_path: Path) -> None:
    """An LSTM whose weights are as large as can be, quantized by ONNX Runtime's tool."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    rng = np.random.default_rng(0)
    model = parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        g (float[T, 1, 16] x) => (float[T, 1, B, 8] y) { y = LSTM <hidden_size = 8> (x, w, r) }
    """)
    for name, n_in in (("w", 16), ("r", 8)):
        signs = rng.choice([-1.0, 1.0], (1, 32, 1)).repeat(n_in, axis=2).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(signs * np.float32(0.2), name))
    source, target = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
    onnx.save(model, source)
    quantize_dynamic(source, target, weight_type=QuantType.QInt8)
    graph = onnx.load(target).graph
    assert [node.op_type for node in graph.node] == ["DynamicQuantizeLSTM"]
    assert any(int8_weights._may_saturate(graph))
    x = rng.uniform(0.0, 1.0, (5, 1, 16)).astype(np.float32)
    (expected,) = load_session(source, CPU).run(x)
    (found,) = build_session(unsigned(target.read_bytes(), 2), "INT8", CPU).run(x)
    assert np.linalg.norm(found - expected) < 0.03 * np.linalg.norm(expected)


def test_an_old_encoder_is_prepared_with_unsigned_weights(
    tmp_path: Path, old_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (prepare, int8_weights):
        monkeypatch.setattr(module, "saturates_here", lambda path: True)
    prepare.prepare(old_model / INT8, tmp_path)
    graph = onnx.load(tmp_path / loading.GRAPH_NAME, load_external_data=False).graph
    assert "DynamicQuantizeMatMul" in {node.op_type for node in graph.node}
    weights = [tensor.data_type for tensor in graph.initializer if len(tensor.dims) == 2]
    assert onnx.TensorProto.INT8 not in weights
    session = load_session(tmp_path / loading.GRAPH_NAME, CPU, is_packed=True)
    exact = Encoder(load_session(old_model / FP32, CPU))
    assert relative_error(exact, Encoder(session), sample_clips()[0]) < 0.03


@pytest.mark.parametrize("is_small", [False, True])
def test_an_old_encoder_is_loaded_with_unsigned_weights(
    old_model: Path, without_vnni: None, monkeypatch: pytest.MonkeyPatch, is_small: bool
) -> None:
    """Also if it is not prepared: because it is too small for that, or because preparing fails."""
    made: list[int] = []
    make_unsigned = int8_weights.make_unsigned

    def failing(*_):
        raise loading.NotPreparedError("no memory")

    monkeypatch.setattr(int8_weights, "make_unsigned", lambda graph: made.append(make_unsigned(graph)))
    monkeypatch.setattr(loading, "prepared", failing)
    if is_small:
        monkeypatch.setattr(loading, "_SMALLEST_BYTES", 10**9)
    exact = Encoder(load_session(old_model / FP32, CPU))
    for path, n_made in ((old_model / INT8, [40]), (DEMO_DIRECTORY / INT8, [])):
        session = loading.load_encoder(path, CPU)
        assert session.name == str(path)
        assert relative_error(exact, Encoder(session), sample_clips()[0]) < 0.03
        assert made == n_made
        made.clear()


def test_auto_passes_an_old_encoder_over(
    old_model: Path, without_vnni: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert engine.load_engine("demo", model_dir=old_model, provider="cpu").info.precision == "fp32"
    (record,) = caplog.records
    assert "FP32 is taken instead" in record.message
    assert f"python -m gigastt_lab quantize --model-dir {old_model} --force" in record.message


@pytest.mark.slow
def test_an_old_encoder_that_is_asked_for_runs(
    tmp_path: Path, old_model: Path, without_vnni: None, caplog: pytest.LogCaptureFixture
) -> None:
    """By its name, or because there is no other."""
    shutil.copytree(old_model, tmp_path, dirs_exist_ok=True)
    (tmp_path / FP32).unlink()
    with caplog.at_level(logging.WARNING):
        loaded = [
            engine.load_engine("demo", model_dir=directory, provider="cpu", precision=precision)
            for directory, precision in ((old_model, "int8"), (tmp_path, "auto"))
            for _ in range(2)
        ]
    assert {each.info.precision for each in loaded} == {"int8"}
    assert [record.message.count("it runs exactly, but slower;") for record in caplog.records] == [
        1,
        1,
    ]


def test_quantize_says_why_an_old_encoder_is_to_be_replaced(
    tmp_path: Path, old_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(DEMO_DIRECTORY, tmp_path, dirs_exist_ok=True)
    said = []
    for directory in (old_model, tmp_path):
        assert main(["quantize", "--model", "demo", "--model-dir", str(directory)]) == 1
        said.append(capsys.readouterr().err)
    assert all("give --force to replace it" in text for text in said)
    assert ["exact on every processor" in text for text in said] == [True, False]


def test_the_packaged_encoder_needs_no_vnni(without_vnni: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert engine.load_engine("demo", provider="cpu").info.precision == "int8"
    assert caplog.records == []


def test_an_old_encoder_is_no_affair_of_an_accelerator(
    old_model: Path, without_vnni: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert choice.find_files(old_model, "int8", "cuda").precision == "int8"
    assert caplog.records == []
