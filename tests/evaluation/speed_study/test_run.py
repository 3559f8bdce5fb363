"""The command `speed`: short runs with the real processes and the demo model; nothing is said of how fast."""

import importlib.util
import json
import logging
import math
import os

import pytest

from evaluation.cli import main as cli
from evaluation.speed_study import benchmark, memory
from evaluation.speed_study.benchmark import measure
from evaluation.speed_study.clips import Clips
from evaluation.speed_study.content import as_content
from evaluation.speed_study.contestants import our_contestants
from evaluation.speed_study.memory import fresh
from evaluation.speed_study.plots import write_plots
from evaluation.speed_study.process import Worker, WorkerError
from evaluation.speed_study.report import as_text
from evaluation.speed_study.results import Plan
from evaluation.speed_study.sections import STAGES
from evaluation.systems.timed import Conditions
from gigastt_lab.models.registry import DEMO_DIRECTORY

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("logging_as_it_was")]

HAS_PROC = os.path.exists("/proc/self/status")


def ours_of(directory):
    """The engine in INT8 over a directory."""
    conditions = Conditions(model="gigaam-demo", directory=directory, threads=1, folder=directory / "links")
    return our_contestants(conditions)[0]


INT8 = ours_of(DEMO_DIRECTORY)

# Packages under the names of peers: one that works and prints, one that cannot be imported, one that dies.
WORKS = """
import os, wave
def load_model(name, path, *, quantization, sess_options, providers):
    print("loading", flush=True)
    os.write(1, b"straight to the descriptor\\n")
    suffix = "." + quantization if quantization else ""
    if not os.path.exists(os.path.join(path, f"v3_e2e_rnnt_joint{suffix}.onnx")):
        raise FileNotFoundError(path)
    return Model()
class Model:
    def recognize(self, paths):
        if isinstance(paths, list):
            return [self.recognize(path) for path in paths]
        with wave.open(paths) as file:
            return f"{file.getnframes()} отсчётов"
"""
CANNOT = "raise OSError('libc.so.6: version `GLIBC_2.38 not found')\n"
DIES = "import os, sys\nsys.stderr.write('goodbye\\n')\nsys.stderr.flush()\nos._exit(3)\n"


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Adds a package for this process and for those that it starts."""
    folder = tmp_path_factory.mktemp("packages")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("PYTHONPATH", str(folder))

        def add(name, source):
            (folder / f"{name}.py").write_text(source, encoding="utf-8")

        yield add


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    with Worker(INT8.spec, tmp_path_factory.mktemp("worker") / "log") as worker:
        worker.ask("load")
        yield worker


@pytest.fixture(scope="module")
def ran(tmp_path_factory, packages):
    """The folder of a short run beside three peers, and what it printed."""
    packages("onnx_asr", WORKS)
    packages("gigastt_uniffi", CANNOT)
    packages("kairos_asr", DIES)
    folder = tmp_path_factory.mktemp("speed")
    (folder / "torch/hub/snakers4_silero-vad_master").mkdir(parents=True)
    (folder / "ffmpeg").touch(mode=0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(folder / "torch"))
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        patch.setattr(logging.root, "handlers", [])  # the command line sets its own
        patch.setattr(logging.root, "level", logging.WARNING)
        printed = []
        patch.setattr("evaluation.cli.output.write_text", printed.append)
        short = ("--rounds", "2", "--lengths", "1.5", "--sections", "end-to-end,limit", "--threads", "1")
        also = ("--also", f"again={DEMO_DIRECTORY}:fp32", "--also", f"missing={folder}")
        assert cli.main(["speed", *short, *also, "--out", str(folder)]) == 0
    return folder, "".join(printed)


def test_files_one_at_a_time(ran, engine, clips):
    content = json.loads((ran[0] / "speed.json").read_text())
    rows = {row["label"]: row for row in content["end_to_end"]}
    expected = ["ours INT8", "ours FP32", "ours again", "onnx-asr FP32", "onnx-asr, same INT8 encoder"]
    assert list(rows) == expected
    for row in rows.values():
        assert len(row["wall_s"]) == len(row["cpu_s"]) == 2
        assert row["rtfx"]["low"] <= row["rtfx"]["median"] <= row["rtfx"]["high"]
        assert row["n_characters"] == len(row["text"]) > 0
        assert row["error"] is None
    assert rows["ours again"]["text"] == rows["ours FP32"]["text"]
    assert rows["onnx-asr FP32"]["text"] == "24000 отсчётов"
    ratios = [a / b for a, b in zip(rows["ours again"]["wall_s"], rows["ours FP32"]["wall_s"], strict=True)]
    assert rows["ours again"]["times_ours"]["median"] == pytest.approx(sum(ratios) / 2)
    assert rows["ours FP32"]["times_ours"]["median"] is None
    assert content["machine"]["cores"] >= 1
    assert content["packages"]["onnxruntime"]
    assert content["command"].startswith("python -m gigastt_lab.eval speed --rounds 2")
    assert list(content["contestants"][0]["files"]) == [
        f"v3_e2e_rnnt_{name}" for name in ("encoder_int8.onnx", "decoder.onnx", "joint.onnx", "vocab.txt")
    ]


def test_who_cannot_take_part_is_a_row_with_its_reason(ran):
    folder, printed = ran
    entries = {one["label"]: one for one in json.loads((folder / "speed.json").read_text())["contestants"]}
    has_tokenizers = importlib.util.find_spec("sentencepiece") is not None  # comes with kairos-asr itself
    reasons = {
        "ours missing": "lacks v3_e2e_rnnt_encoder",
        "gigastt, same INT8 encoder": "needs glibc 2.38 or newer",
        "kairos-asr FP32": (
            "its process ended with 3: goodbye" if has_tokenizers else "its tokenizer cannot be made"
        ),
    }
    for label, reason in reasons.items():
        assert reason in entries[label]["error"]
        assert f"did not run: {entries[label]['error'][:40]}" in printed


def test_shares_of_the_limit(ran):
    content = json.loads((ran[0] / "speed.json").read_text())
    [limit] = content["limit"]
    assert (limit["audio_s"], limit["n_rows"]) == (1.5, 38)
    assert limit["shapes"][0] in ([128, 512], [512, 128])
    assert limit["rtfx_fp32"] == pytest.approx(limit["rate_fp32"] / (limit["flop"] / 1.5))
    assert limit["rate_fp32"] == max(limit["rates"]["fp32"] + limit["rates"]["fp32_blas"])
    for row in content["end_to_end"]:
        precision = "int8" if "INT8" in row["label"] else "fp32"
        assert row["share_of_limit"] == pytest.approx(row["rtfx"]["median"] / limit[f"rtfx_{precision}"])


def test_what_is_printed_and_written(ran):
    folder, printed = ran
    for told in ("Contestants", "The machine's own limit", "Files of 1.5 s", "Time / ours", "quartiles"):
        assert told in printed
    page = (folder / "speed.md").read_text(encoding="utf-8")
    assert "| ours INT8 |" in page
    assert str(folder / "speed_rtfx.png") in printed
    assert (folder / "speed_rtfx.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def whole():
    """Every section, each as short as can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "STAGE_S", 2.0)
        patch.setattr(memory, "N_STARTS", 1)
        return measure(
            Plan(
                threads=1, n_rounds=1, lengths_s=(1.0, 4.0), with_peers=False, growth_s=(1.0, 2.0),
                encoder_s=(1.0,), batch_sizes=(1, 3),
            )
        )  # fmt: skip


def test_every_section_is_measured(whole, tmp_path):
    labels = ["ours INT8", "ours FP32"]
    assert [each.label for each in whole.end_to_end] == labels * 2
    assert [(each.n_utterances, each.n_as_alone) for each in whole.batch] == [(1, 1)] * 2 + [(3, 3)] * 2
    assert [each.audio_s for each in whole.growth] == [1.0, 1.0, 2.0, 2.0]
    assert {each.label for each in whole.encoder} == {
        *labels,
        *(f"plain ONNX Runtime {p}" for p in ("INT8", "FP32")),
    }
    assert [each.variant for each in whole.stages] == [*STAGES.values()] * 2
    timings = [*whole.end_to_end, *whole.batch, *whole.growth, *whole.encoder, *whole.stages]
    assert all(each.error is None and min(each.wall_s) > 0 and min(each.cpu_s) > 0 for each in timings)
    assert [each.audio_s for each in whole.limits] == [1.0, 4.0]
    told = as_text(whole)
    for title in ("Batches", "The encoder alone", "Stages", "Growth", "Start and memory"):
        assert title in told
    names = ("rtfx", "batch", "growth", "memory")
    assert [path.name for path in write_plots(whole, tmp_path)] == [f"speed_{name}.png" for name in names]
    json.dumps(as_content(whole))


@pytest.mark.skipif(not HAS_PROC, reason="/proc tells of memory")
def test_memory_is_of_fresh_processes(whole):
    assert [start.n_threads for start in whole.starts] == [1] * 6 + [8] * 2
    for start in whole.starts:
        assert start.error is None
        assert 0 < start.load_s < start.first_s
        assert 30e6 < start.loaded["VmRSS"] <= start.loaded["VmHWM"] <= start.worked["VmHWM"] < 2e9
        assert start.loaded["RssAnon"] + start.loaded["RssFile"] <= 1.05 * start.loaded["VmRSS"]
    for each in whole.footprints:
        assert list(each.peak_bytes) == [1.0, 2.0, 4.0]
        assert not math.isnan(each.thread_bytes)


def test_a_fresh_process_that_fails_says_why(tmp_path, clips):
    found = fresh(ours_of(tmp_path), clips.of(1.0), tmp_path / "log")
    assert "lacks" in found.error
    assert not found.worked


def test_a_worker_gives_the_engines_texts(worker, engine, clips):
    mixed = clips.mixed()[:4]
    alone = [worker.ask("transcribe", path=str(clip.path))["text"] for clip in mixed]
    assert alone == [engine.transcribe(clip.path).text for clip in mixed]
    assert worker.ask("batch", paths=[str(clip.path) for clip in mixed])["texts"] == alone
    assert worker.ask("together", path=str(mixed[0].path), n=3)["n_texts"] == 1
    assert worker.ask("rest") == {}


def test_a_worker_goes_on_after_a_request_that_failed(worker, clips, tmp_path):
    with pytest.raises(WorkerError, match="cannot 'dance': memory, rest"):
        worker.ask("dance")
    with pytest.raises(WorkerError, match="there is no file"):
        worker.ask("transcribe", path=str(tmp_path / "nothing.wav"))
    assert worker.is_alive
    assert worker.ask("transcribe", path=str(clips.of(1.0).path))["wall_s"] > 0


def test_contestants_that_nobody_knows_are_refused(tmp_path):
    with Worker({"kind": "parrot"}, tmp_path / "log") as stranger:
        with pytest.raises(WorkerError, match=r"no contestant 'parrot': engine, .*session"):
            stranger.ask("load")
        with pytest.raises(WorkerError, match="ended with 2"):
            stranger.ask("load")
        assert not stranger.is_alive


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--lengths", "4,x"), "give seconds from 0.5 to 600"),
        (("--sections", "speed"), "end-to-end, batch"),
        (("--also", "linear"), "give LABEL=DIR"),
        (("--gigastt-preload", "none.so"), "there is no such file"),
        (("--also", "INT8=here"), "not all different"),
        (("--rounds", "0"), "1 or more"),
    ],
)
def test_what_cannot_be_asked_for(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["speed", *arguments])
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_model_that_is_not_there_ends_the_command(tmp_path, capsys):
    assert cli.main(["speed", "--model-dir", str(tmp_path), "--out", str(tmp_path)]) == 3
    assert "lacks" in capsys.readouterr().err
