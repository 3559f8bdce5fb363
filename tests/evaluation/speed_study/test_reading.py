"""A measurement comes back from JSON as it was, shows itself, and is drawn; on made numbers."""

import json
import math
from dataclasses import replace

import pytest
from matplotlib.container import ErrorbarContainer

from evaluation.records.files import RecordError
from evaluation.show.files import known
from evaluation.speed_study import plots, reading
from evaluation.speed_study.content import as_content
from evaluation.speed_study.limit import Limit
from evaluation.speed_study.memory import Start
from evaluation.speed_study.results import Entry, Found, Plan
from evaluation.speed_study.rounds import Timing
from evaluation.systems.timed import Contestant
from gigastt_lab.models.registry import DEMO_DIRECTORY
from tests.support.paths import NOTEBOOKS

NASTY = "<script>alert(1)</script>"
INT8 = Contestant(label="ours INT8", kind="engine", directory=DEMO_DIRECTORY, precision="int8", threads=2)
FP32 = replace(INT8, label="ours FP32", precision="fp32")
PEER = replace(FP32, label="onnx-asr FP32", kind="onnx-asr", note=NASTY)
GONE = replace(FP32, label="gigastt", kind="gigastt")
ENTRIES = [Entry(INT8, "1"), Entry(FP32, "1"), Entry(PEER, "2"), Entry(GONE, error="not installed")]


def timing(label, wall_s, audio_s=4.0, **more):
    return Timing(label=label, audio_s=audio_s, wall_s=wall_s, cpu_s=wall_s, **more)


WALL_S = {
    "ours INT8": (0.1, 0.1, 0.1),
    "ours FP32": (0.2, 0.2, 0.2),
    "onnx-asr FP32": (0.5, 0.6, 0.7),
}
"""Of files of 4 s."""


def found_of(**changes):
    """INT8 takes half of FP32's time, the peer three times as much; at most 80 and 40 times real time."""
    files = [
        timing(label, tuple(audio_s / 4 * each for each in wall_s), audio_s, text="раз")
        for audio_s in (4.0, 16.0)
        for label, wall_s in WALL_S.items()
    ]
    rates = {"fp32": (4e10, 1e10), "fp32_blas": (), "int8": (8e10,)}
    limits = [
        Limit(audio_s=audio_s, n_rows=100, flop=1e9 * audio_s, rates=rates, shapes=((2, 3),))
        for audio_s in (4.0, 16.0)
    ]
    held = {"VmRSS": 5, "VmHWM": 7}
    start = Start(label="ours INT8", audio_s=4.0, load_s=1.0, first_s=2.0, loaded=held, worked=held)
    given = {
        "plan": Plan(threads=2),
        "threads": 2,
        "entries": ENTRIES,
        "load_average": (0.5, math.nan),
        "end_to_end": [*files, Timing(label="onnx-asr FP32", audio_s=60.0, error="no memory")],
        "limits": limits,
        "batch": [timing("ours INT8", (0.1,), n_utterances=n, n_as_alone=n) for n in (1, 2)],
        "growth": [timing("ours INT8", (0.1,)), timing("ours INT8", (0.3,), 8.0)],
        "starts": [start, Start(label="ours FP32", audio_s=4.0, error="gone")],
    }
    return Found(**{**given, **changes})


@pytest.fixture
def written(tmp_path):
    def write(found, name="speed.json", **changes):
        content = known({"command": "python -m x", **as_content(found)} | changes)
        path = tmp_path / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


def whiskers(ax):
    return [one for one in ax.containers if isinstance(one, ErrorbarContainer)]


def rows(ax):
    return [tick.get_text() for tick in ax.get_yticklabels()]


def test_it_comes_back_as_it_was(written):
    found = found_of()
    recorded = reading.load(written(found, machine={"cpu": "Z80", "cores": 2, "load_average": [0.5, None]}))
    assert recorded.machine == {"cpu": "Z80", "cores": 2}
    assert recorded.command == "python -m x"
    assert recorded.packages["python"]
    again = recorded.found
    for name in ("end_to_end", "batch", "growth", "limits", "threads", "limit_error"):
        assert getattr(again, name) == getattr(found, name)
    assert (again.plan.n_rounds, again.plan.model) == (7, "demo")
    assert again.load_average[0] == 0.5
    assert math.isnan(again.load_average[1])
    assert recorded.numbers == {"ours INT8": 0, "ours FP32": 1, "onnx-asr FP32": 2}
    # What follows from it is the same, too.
    for ours, its in zip(again.end_to_end[:6], found.end_to_end[:6], strict=True):
        assert again.share_of_limit(ours) == found.share_of_limit(its)
    assert again.times_ours(again.end_to_end[2], again.end_to_end).median == pytest.approx(3.0)
    assert again.footprints[0].peak_bytes == {4.0: 7.0}
    assert again.footprints[1].error == "gone"


def test_it_shows_itself_with_the_machine_it_is_from(written):
    machine = {"cpu": "Z80", "cores": 9, "load_average": [1, 2]}
    content = reading.load(written(found_of(), machine=machine))._repr_html_()
    assert "demo, 2 threads, on Z80, 9 cores" in content
    assert "did not run: not installed" in content
    assert "Note: onnx-asr FP32 failed, no memory: 60 s" in content
    assert "<script" not in content
    here = reading.here(found_of())._repr_html_()
    assert "Z80" not in here
    assert "The machine&#x27;s own limit" in here


@pytest.mark.parametrize("content", ["no JSON", "[]", "{}", '{"machine": {"load_average": [1]}}'])
def test_what_is_no_such_file_is_refused(tmp_path, content):
    path = tmp_path / "speed.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RecordError, match=r"speed\.json is not what the command speed writes"):
        reading.load(path)
    with pytest.raises(RecordError, match="cannot be read"):
        reading.load(tmp_path / "gone.json")


def test_what_the_repository_holds_can_be_read():
    folder = NOTEBOOKS / "records"
    paths = sorted(folder.glob("speed*.json"))
    assert folder / "speed.json" in paths
    for path in paths:
        assert path.stat().st_size < 200_000
        assert reading.load(path).found.end_to_end


def test_latency_against_length():
    found = found_of()
    ax = plots.latency_by_length([*found.end_to_end, *found.growth], {"ours INT8": 0})
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("audio, s", "from file to text, s")
    ours = next(line for line in ax.lines if line.get_label() == "ours INT8")
    assert ours.get_xdata().tolist() == [4.0, 4.0, 8.0, 16.0]
    assert ours.get_ydata().tolist() == pytest.approx([0.1, 0.1, 0.3, 0.4])


def test_peers_as_multiples_of_the_engines_time():
    ax = plots.times_ours(found_of())
    assert rows(ax) == ["onnx-asr FP32"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["4 s of audio", "16 s of audio"]
    for whisker in whiskers(ax):
        [segment] = whisker.lines[2][0].get_segments()
        assert segment[:, 0].tolist() == pytest.approx([2.75, 3.25])  # of 2.5, 3 and 3.5


def test_shares_of_the_limit_in_percent():
    ax = plots.share_of_limit(found_of())
    assert ax.get_xlabel().endswith("%")
    assert rows(ax) == ["ours INT8", "ours FP32", "onnx-asr FP32"]
    dots = next(line for line in ax.lines if line.get_label() == "4 s of audio")
    assert dots.get_xdata().tolist() == pytest.approx([50.0, 50.0, 100 * (4 / 0.6) / 40])


def test_threads_and_providers():
    two, one = found_of(), found_of(threads=1)
    ax = plots.rtfx_by_threads([two, one], 4.0)
    assert ax.get_xlabel() == "threads; files of 4 s"
    dots = next(line for line in ax.lines if line.get_label() == "ours INT8")
    assert (dots.get_xdata().tolist(), dots.get_ydata().tolist()) == ([1, 2], [40.0, 40.0])
    elsewhere = found_of(entries=[Entry(replace(INT8, provider="openvino")), *ENTRIES[1:]])
    ax = plots.rtfx_by_provider({"a": two, "b": elsewhere}, 4.0)
    assert rows(ax) == ["cpu: INT8 (a)", "cpu: FP32 (a)", "openvino: INT8 (b)", "cpu: FP32 (b)"]
    assert rows(plots.rtfx_by_provider({"a": two}, 4.0)) == ["cpu: INT8", "cpu: FP32"]


def test_of_nothing():
    nothing = found_of(end_to_end=[], limits=[], batch=[], growth=[], starts=[])
    drawn = [
        plots.latency_by_length([], {}),
        plots.times_ours(nothing),
        plots.share_of_limit(nothing),
        plots.rtfx_by_threads([], 4.0),
        plots.rtfx_by_provider({}, 4.0),
        plots.rtfx_by_length([], [], {}),
        plots.rtfx_by_batch([], {}),
        plots.work_by_length([], {}),
        plots.memory_bars([]),
    ]
    for ax in drawn:
        ax.figure.draw_without_rendering()
