from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from gigastt_lab.errors import ModelError, ModelNotFoundError, ProviderError
from gigastt_lab.runtime import sessions as runtime
from gigastt_lab.runtime.sessions import RuntimeOptions, available_providers, build_session, load_session
from tests.support.graphs import Export, Sizes, encoder_graph

CPU = RuntimeOptions(provider="cpu", threads=1)
needs_no_cuda = pytest.mark.skipif("cuda" in available_providers(), reason="CUDA is available here")


@pytest.fixture
def graph() -> bytes:
    return encoder_graph(Sizes(), Export(), np.random.default_rng(0)).SerializeToString()


@pytest.fixture
def graph_path(tmp_path: Path, graph: bytes) -> Path:
    path = tmp_path / "encoder.onnx"
    path.write_bytes(graph)
    return path


def test_a_session_tells_what_it_is(graph_path: Path) -> None:
    session = load_session(graph_path, CPU)
    assert (session.name, session.provider, session.threads) == (str(graph_path), "cpu", 1)
    assert [(info.name, info.dtype, info.shape) for info in session.inputs] == [
        ("audio_signal", np.float32, (None, 8, None)),
        ("length", np.int64, (None,)),
    ]
    assert [(info.name, info.dtype) for info in session.outputs] == [
        ("encoded", np.float32),
        ("encoded_len", np.int32),
    ]


def test_runs_in_the_order_of_the_inputs(graph: bytes) -> None:
    encoded, lengths = build_session(graph, "graph", CPU).run(
        np.zeros((2, 8, 9), np.float32), np.array([9, 4])
    )
    assert encoded.shape == (2, 6, 3)
    assert lengths.tolist() == [3, 1]


def test_wrong_arrays_name_the_graph_and_the_shapes(graph: bytes) -> None:
    session = build_session(graph, "the graph", CPU)
    with pytest.raises(ModelError, match=r"the graph failed on audio_signal float32\[1, 7, 9\]"):
        session.run(np.zeros((1, 7, 9), np.float32), np.array([9]))


def test_auto_logs_what_it_chose(graph: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger=runtime.__name__):
        session = build_session(graph, "graph", RuntimeOptions())
    assert session.provider == "cpu" or "cuda" in available_providers()
    assert f"provider {session.provider} chosen" in caplog.text


@needs_no_cuda
def test_a_missing_provider_is_refused_and_the_others_listed(graph: bytes) -> None:
    with pytest.raises(ProviderError, match=r"cuda is not in this build.*which has .*cpu"):
        build_session(graph, "graph", RuntimeOptions(provider="cuda"))


def pretend_cuda(monkeypatch: pytest.MonkeyPatch, inference: type) -> None:
    """Let ONNX Runtime claim CUDA, and sessions be made by `inference`."""
    monkeypatch.setattr(
        ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(ort, "InferenceSession", inference)


class QuietFallback(ort.InferenceSession):
    """What ONNX Runtime does when a provider's libraries are missing: it leaves the provider out."""

    def __init__(self, graph: bytes, options: ort.SessionOptions, **_: object) -> None:
        super().__init__(graph, options, providers=["CPUExecutionProvider"])


class FailingStart(ort.InferenceSession):
    """What it does when the provider is there and its device is not."""

    def __init__(self, graph: bytes, options: ort.SessionOptions, *, providers: list, **_: object) -> None:
        if providers[0][0] == "CUDAExecutionProvider":
            raise RuntimeError("CUDA failure 100: no CUDA-capable device is detected")
        super().__init__(graph, options, providers=providers)


@needs_no_cuda
@pytest.mark.parametrize(
    ("inference", "reason"), [(QuietFallback, "took cpu instead"), (FailingStart, "no CUDA-capable device")]
)
def test_a_provider_that_does_not_start(
    graph: bytes,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    inference: type,
    reason: str,
) -> None:
    pretend_cuda(monkeypatch, inference)
    with pytest.raises(ProviderError, match=reason) as caught:
        build_session(graph, "graph", RuntimeOptions(provider="cuda"))
    assert "choose one of cpu" in str(caught.value)

    with caplog.at_level(logging.INFO, logger=runtime.__name__):
        assert build_session(graph, "graph", RuntimeOptions()).provider == "cpu"
    warning, chosen = caplog.records
    assert warning.levelno == logging.WARNING
    assert "falling back from cuda" in warning.message
    assert "provider cpu chosen" in chosen.message


@needs_no_cuda
def test_a_broken_file_is_not_blamed_on_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, QuietFallback)
    with pytest.raises(ModelError, match="damaged") as caught:
        build_session(b"not a graph", "graph", RuntimeOptions(provider="cuda"))
    assert not isinstance(caught.value, ProviderError)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"encoder\.onnx: no such model file"):
        load_session(tmp_path / "encoder.onnx", CPU)


@pytest.mark.parametrize("content", [b"", b"garbage" * 100])
def test_a_broken_file(tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes) -> None:
    path = tmp_path / "encoder.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"encoder\.onnx .*download the model again"):
        load_session(path, CPU)
    assert capfd.readouterr() == ("", "")


def test_a_truncated_file(graph_path: Path, graph: bytes) -> None:
    graph_path.write_bytes(graph[: len(graph) // 2])
    with pytest.raises(ModelError, match="damaged"):
        load_session(graph_path, CPU)


@pytest.mark.parametrize("threads", [1, 3, 64])
def test_threads_default_to_what_the_machine_allows(
    graph: bytes, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(runtime, "default_threads", lambda: threads)
    assert build_session(graph, "graph", RuntimeOptions(provider="cpu")).threads == threads
    assert build_session(graph, "graph", RuntimeOptions(provider="cpu", threads=2)).threads == 2


def test_options_are_checked() -> None:
    with pytest.raises(ProviderError, match="'gpu' is not known; choose one of auto, cpu, cuda"):
        RuntimeOptions(provider="gpu")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="threads is 0"):
        RuntimeOptions(threads=0)
