"""Parts of the command `speed` on made numbers and tiny graphs."""

import math
import os
import wave
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from evaluation.speed_study.clips import Clips, total_s
from evaluation.speed_study.contestants import our_contestants, peer_contestants
from evaluation.speed_study.flops import read_work
from evaluation.speed_study.limit import Limit
from evaluation.speed_study.memory import Start, footprints
from evaluation.speed_study.plots import memory_bars, rtfx_by_length, work_by_length
from evaluation.speed_study.process import Worker, WorkerError
from evaluation.speed_study.rounds import Timing, Turn, in_rounds, n_steps, timing_of
from evaluation.systems import timed
from evaluation.systems.timed import Also, Conditions
from gigastt_lab.errors import ModelError
from gigastt_lab.models.registry import DEMO_DIRECTORY


def save(path, nodes, weights, width=4):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 3, "T"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", width, "T"])],
        [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in weights.items()],
    )
    onnx.save(helper.make_model(graph), path)
    return path


def test_flop_of_a_tiny_graph_counted_by_hand(tmp_path):
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "strided"], ["a"], strides=[2], pads=[2, 2], kernel_shape=[5]),  # 9 -> 5 frames
        node("Conv", ["a", "depthwise"], ["b"], pads=[1, 1], group=4, kernel_shape=[3]),
        node("Conv", ["b", "pointwise"], ["c"], kernel_shape=[1]),
        node("Identity", ["shared"], ["alias"]),
        node("MatMul", ["c", "alias"], ["d"]),
        node("Gemm", ["d", "flipped"], ["e"], transB=1),
        node("MatMulInteger", ["e", "shared"], ["f"]),
        node("MatMul", ["f", "e"], ["g"]),  # attention: both vary
        node("MatMul", ["g", "f"], ["y"]),
    ]
    weights = {
        "strided": (4, 3, 5), "depthwise": (4, 1, 3), "pointwise": (8, 4, 1),
        "shared": (8, 4), "flipped": (8, 4),
    }  # fmt: skip
    work = read_work(save(tmp_path / "e.onnx", nodes, weights))
    assert work.n_encoder_frames(9) == 5
    parameters = 4 * 3 * 5 + 4 * 3 + 8 * 4 + 8 * 4 + 8 * 4 + 8 * 4
    assert work.flops(9) == 2 * 5 * parameters + 2 * (2 * 5 * 5 * 4)
    assert sorted(work.main_shapes(9)) == [(4, 8), (8, 4)]


def test_flop_of_the_demo_model_by_its_formula():
    work = read_work(DEMO_DIRECTORY / "v3_e2e_rnnt_encoder.onnx")
    width, n_layers, n_frames = 128, 5, 400
    # Two feed-forwards, four projections of attention, GLU and its projection back, a depthwise kernel of 5.
    layer = 2 * 2 * width * 4 * width + 4 * width**2 + 3 * width**2 + 5 * width
    subsampling = 2 * (2 * n_frames * width * 64 * 5 + n_frames * width * width * 5)
    expected = subsampling + n_layers * (2 * n_frames * layer + 4 * n_frames**2 * width)
    assert work.n_encoder_frames(1600) == n_frames
    assert work.flops(1600) == expected
    assert read_work(DEMO_DIRECTORY / "v3_e2e_rnnt_encoder_int8.onnx").flops(1600) == expected


def test_graphs_that_cannot_be_counted_say_why(tmp_path):
    conv = helper.make_node("Conv", ["x", "w"], ["y"])
    with pytest.raises(ModelError, match="over 2 dimensions"):
        read_work(save(tmp_path / "e.onnx", [conv], {"w": (4, 3, 5, 5)}))
    product = helper.make_node("MatMul", ["x", "x"], ["y"])
    with pytest.raises(ModelError, match="width"):
        read_work(save(tmp_path / "e.onnx", [product], {}, width="open"))


class FakeWorker:
    """Answers with how often it was asked; fails from the third time on, if it is to."""

    def __init__(self, log, name, fails=False):
        self.is_alive, self.log, self.name, self.fails, self.n = True, log, name, fails, 0

    def ask(self, operation, **details):
        if operation == "rest":
            self.log.append(f"{self.name} rests")
            return {}
        self.log.append(self.name)
        self.n += 1
        if self.fails and self.n > 2:
            raise WorkerError("worn out")
        return {"wall_s": float(self.n), "cpu_s": 2.0 * self.n, "text": "да"}


def test_turns_in_rounds():
    log, steps = [], []
    turns = [Turn(FakeWorker(log, name), "transcribe") for name in "abc"]
    in_rounds([turns[:2], turns[2:]], 3, lambda: steps.append(1))
    assert [answer["wall_s"] for answer in turns[0].answers] == [2.0, 3.0, 4.0]  # the first warms up
    assert len(steps) == n_steps([turns[:2], turns[2:]], 3) == 12
    assert all(log[place + 1] == f"{log[place]} rests" for place in range(0, len(log), 2))
    asked = log[::2]
    assert {"".join(asked[start : start + 3]) for start in (0, 3, 6, 9)} == {"abc", "bac"}


def test_a_turn_that_fails_is_not_taken_again():
    log = []
    turn, other = (
        Turn(FakeWorker(log, "a", fails=True), "transcribe"),
        Turn(FakeWorker(log, "b"), "transcribe"),
    )
    in_rounds([[turn, other]], 4, lambda: None)
    assert log.count("a") == 3
    timing = timing_of(turn, label="a", audio_s=4.0)
    assert (timing.error, timing.wall_s, timing.n_characters) == ("worn out", (), None)
    assert math.isnan(timing.rtfx.median)
    good = timing_of(other, label="b", audio_s=4.0)
    assert (good.wall_s, good.text, good.rtfx.median) == (
        (2.0, 3.0, 4.0, 5.0),
        "да",
        4 / 3.5 + (4 / 3 + 1) / 2 - 8 / 7,
    )
    assert math.isnan(timing.times_of(good).median)


def test_memory_of_a_thread_is_what_it_adds_to_the_peak():
    def start(n_threads, peak, audio_s=16.0):
        held = {"VmRSS": 100, "VmHWM": peak, "RssAnon": 70, "RssFile": 30}
        return Start(
            label="ours",
            audio_s=audio_s,
            n_threads=n_threads,
            load_s=1.0,
            first_s=2.0,
            loaded=held,
            worked=held,
        )

    [found] = footprints([start(1, 110, 4.0), start(1, 120), start(8, 190)])
    assert found.thread_bytes == (190 - 120) / 7
    assert (found.peak_bytes, found.loaded_bytes) == ({4.0: 110.0, 16.0: 120.0}, 100.0)
    [unknown] = footprints([Start(label="ours", audio_s=4.0, load_s=1.0, first_s=2.0)])
    assert math.isnan(unknown.loaded_bytes)
    assert math.isnan(unknown.thread_bytes)
    assert unknown.first_s.median == 2.0


def test_clips_are_as_long_as_they_say(tmp_path):
    clips = Clips(tmp_path)
    for clip in (clips.of(4.0), clips.of(300.0), *clips.mixed()):
        with wave.open(str(clip.path)) as file:
            assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16_000, 2, 1)
            assert file.getnframes() == round(clip.audio_s * 16_000)
    assert clips.of(4.0) is clips.of(4.0)
    assert all(2 <= clip.audio_s <= 12 for clip in clips.mixed())
    assert clips.mixed() == Clips(tmp_path).mixed()
    assert total_s(clips.mixed()[:2]) == 13.1


def conditions_of(folder, **changes):
    given = {"model": "gigaam-demo", "directory": DEMO_DIRECTORY, "threads": 2, "folder": folder}
    return Conditions(**{**given, **changes})


def test_contestants_and_their_directories(tmp_path):
    also = Also("linear", Path("elsewhere"))
    conditions = conditions_of(tmp_path, also=[also], gigastt_preload="shim.so")
    ours = our_contestants(conditions)
    assert [each.label for each in ours[:3]] == ["ours INT8", "ours FP32", "ours linear"]
    assert (ours[2].directory, ours[2].precision) == (Path("elsewhere"), "int8")
    peers = peer_contestants(conditions)
    assert [each.kind for each in peers] == ["onnx-asr", "onnx-asr", "gigastt", "kairos-asr"]
    assert peers[2].environment == {"LD_PRELOAD": "shim.so"}
    int8 = (DEMO_DIRECTORY / "v3_e2e_rnnt_encoder_int8.onnx").resolve()
    assert (peers[1].directory / "v3_e2e_rnnt_encoder.int8.onnx").resolve() == int8
    assert (peers[2].directory / "other_encoder_int8.onnx").resolve() == int8
    assert "encoder_int8" in (peers[2].directory / "manifest.toml").read_text()


def test_openvino_takes_part_where_onnx_runtime_has_it(monkeypatch, tmp_path):
    monkeypatch.setattr("evaluation.systems.engine.available_providers", lambda: ("openvino", "cpu"))
    *_, int8, fp32 = our_contestants(conditions_of(tmp_path))
    assert [each.label for each in (int8, fp32)] == ["ours INT8, OpenVINO", "ours FP32, OpenVINO"]
    assert fp32.spec["provider"] == "openvino"


def test_onnx_asr_for_real(tmp_path, engine):
    pytest.importorskip("onnx_asr", reason="onnx-asr is not installed: pip install onnx-asr")
    clip = Clips(tmp_path).of(4.0)
    for peer in peer_contestants(conditions_of(tmp_path / "links", threads=1))[:2]:
        with Worker(peer.spec, tmp_path / "log") as worker:
            worker.ask("load")
            text = worker.ask("transcribe", path=str(clip.path))["text"]
            assert worker.ask("batch", paths=[str(clip.path)])["texts"] == [text]
        assert text == engine.transcribe(clip.path).text


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_who_takes_no_threads_gets_as_many_cores(monkeypatch):
    left = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3})
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cpus: left.append(cpus))
    siblings = {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}
    monkeypatch.setattr(timed.Path, "read_text", lambda path: siblings[int(path.parts[-3][3:])])
    timed.restrict_to(1)
    timed.restrict_to(2)
    assert left == [[0]]


def test_plots_draw_what_they_are_given():
    timings = [
        Timing(label=label, audio_s=audio_s, wall_s=(0.1, 0.2, 0.4), cpu_s=(0.2, 0.3, 0.4))
        for audio_s in (4.0, 16.0)
        for label in ("ours INT8", "onnx-asr FP32")
    ] + [Timing(label="gigastt", audio_s=4.0, error="no")]
    limit = Limit(audio_s=16.0, n_rows=400, flop=1e9, rates={"fp32": (1e11,), "int8": (2e11,)}, shapes=())
    numbers = {"ours INT8": 0, "onnx-asr FP32": 1}
    ax = rtfx_by_length(timings, [limit], numbers)
    assert "seconds of audio per second" in ax.get_ylabel()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "ours INT8", "onnx-asr FP32", "limit of INT8", "limit of FP32",
    ]  # fmt: skip
    assert "ms" in work_by_length(timings, numbers).get_ylabel()
    start = Start(
        label="ours", audio_s=4.0, load_s=1.0, first_s=2.0, loaded={"VmRSS": 1}, worked={"VmHWM": 3}
    )
    ax = memory_bars(list(footprints([start])))
    assert "MB" in ax.get_xlabel()
    assert len(ax.patches) == 2
