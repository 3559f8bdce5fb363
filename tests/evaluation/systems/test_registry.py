"""Systems: the matrix, this package's engine, the packages of peers, and what the header says of them."""

import io
import json
import logging
import re
import subprocess
import wave

import numpy as np
import pytest

from evaluation.datasets.audio import decoded
from evaluation.records import machine
from evaluation.records.naming import safe_name
from evaluation.systems.availability import warm_up
from evaluation.systems.base import Outcome, SystemUnavailableError, together_or_each
from evaluation.systems.engine import EngineSystem
from evaluation.systems.registry import SystemSpec, load_system, matrix
from gigastt_lab.errors import ModelError
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.registry import DEMO_DIRECTORY, KNOWN_MODELS

DEMO_HASHES = {file.name: file.sha256 for file in KNOWN_MODELS["gigaam-demo"].files}


@pytest.fixture(scope="module")
def system():
    """The demo model, four at once, whatever the suite's other engine is."""
    return load_system(
        SystemSpec(model="demo", precision="fp32", provider="cpu", threads=1, batch_size=4),
        show_progress=False,
    )


def test_the_matrix_is_every_combination_once():
    specs = matrix(["demo", "gigaam-demo"], ["fp32", "int8", "fp32"], ["cpu"], [1, 2], [1, 8])
    assert [spec.name for spec in specs] == [
        f"gigaam-demo_{precision}_cpu_t{threads}_b{batch_size}"
        for precision in ("fp32", "int8")
        for threads in (1, 2)
        for batch_size in (1, 8)
    ]


def test_a_specification_is_checked_before_anything_is_loaded():
    with pytest.raises(ModelError, match="'whisper' is not known"):
        matrix(["whisper"])
    with pytest.raises(ValueError, match="batch_size is 0"):
        SystemSpec(batch_size=0)
    with pytest.raises(ValueError, match="no kind of system 'vosk'"):
        SystemSpec(kind="vosk")
    with pytest.raises(ValueError, match="need one at least: url"):
        SystemSpec(kind="server")
    with pytest.raises(ValueError, match="colour"):
        SystemSpec(kind="server", options={"url": "http://localhost", "colour": "red"})


def test_names_tell_systems_apart(tmp_path):
    specs = [
        SystemSpec(),
        SystemSpec(batch_size=1),
        SystemSpec(threads=1),
        SystemSpec(model_dir=tmp_path / "my model"),
        SystemSpec(model="demo"),
        SystemSpec(kind="onnx-asr"),
        SystemSpec(kind="gigastt"),
        SystemSpec(kind="server", options={"url": "http://localhost:9876"}),
        SystemSpec(kind="server", options={"url": "http://localhost:9876", "route": "openai"}),
    ]
    names = [spec.name for spec in specs]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w.+-]+", name) for name in names)
    assert names[3] == "gigaam-v3-e2e-rnnt-my-model_b8"


def test_what_was_asked_for_names_no_home(tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    assert SystemSpec(model_dir=tmp_path / "models").asked()["model_dir"] == "~/models"
    assert machine.without_home(f"{tmp_path}/a {tmp_path}-b {tmp_path}") == f"~/a {tmp_path}-b ~"


def test_the_info_says_what_really_runs(system):
    assert system.name == "gigaam-demo_fp32_cpu_t1_b4"
    files = {name: DEMO_HASHES[name] for name in system.info["files"]}
    assert system.info == {
        "kind": "engine", "model": "gigaam-demo", "files": files, "precision": "fp32", "provider": "cpu",
        "threads": 1, "warm_up": "2 x 2.8 s",
    }  # fmt: skip
    assert len(files) == 4
    json.dumps(system.info)


def test_auto_is_resolved():
    loaded = load_system(SystemSpec(model="demo", provider="cpu", batch_size=1), show_progress=False)
    assert re.fullmatch(r"gigaam-demo_(int8|fp32)_cpu_t\d+_b1", loaded.name)
    assert loaded.info["warm_up"] == "1 x 2.8 s"


def test_outcomes_are_those_of_the_engine(system, clips, engine):
    paths = [clip.path for clip in clips[:3]]
    outcomes = system.transcribe([paths[0], paths[1].read_bytes(), paths[2]])
    for outcome, clip in zip(outcomes, clips, strict=False):
        assert outcome.error is None
        assert outcome.hypothesis == " ".join(word[0] for word in outcome.words)
        assert outcome.audio_s == len(clip.waveform) / 16_000
        stages = (outcome.decode_s, outcome.features_s, outcome.encoder_s, outcome.search_s)
        assert all(stage > 0 for stage in stages)
        assert outcome.work_s >= sum(stages) * 0.999
    transcript = EngineSystem(
        engine, batch_size=1, files=ModelFiles.find(DEMO_DIRECTORY, "fp32")
    ).transcribe([paths[0]])  # fmt: skip
    assert transcript[0].hypothesis.split()[0] == "Салют,"


def test_what_cannot_be_recognised_fails_alone(system, clips, caplog, monkeypatch):
    missing = clips[0].path.with_name("missing.wav")
    poison = write_wav(np.full(2 * 16_000, 0.5))
    batch = system.engine.transcribe_batch

    def fails_on_poison(waveforms, **options):
        if any(len(waveform) == 2 * 16_000 for waveform in waveforms):
            raise ModelError("the encoder failed")
        return batch(waveforms, **options)

    monkeypatch.setattr(system.engine, "transcribe_batch", fails_on_poison)
    monkeypatch.setattr(
        system.engine, "transcribe", lambda waveform, **options: fails_on_poison([waveform], **options)[0]
    )
    outcomes = system.transcribe([b"garbage", clips[0].path, poison, clips[1].path, missing, b""])
    alone = system.transcribe([clips[0].path, clips[1].path])
    assert [outcome.hypothesis for outcome in outcomes[1:4:2]] == [each.hypothesis for each in alone]
    for index, complaint in (
        (0, "^AudioError: 7 bytes: not a known audio file"),
        (2, "^ModelError: the encoder failed"),
        (4, "^AudioNotFoundError: there is no file"),
        (5, "^AudioError: 0 bytes"),
    ):
        assert outcomes[index].hypothesis is None
        assert re.search(complaint, outcomes[index].error)
    assert (outcomes[0].audio_s, outcomes[2].audio_s) == (None, 2.0)
    assert "a batch of 3 failed" in caplog.text


def test_more_than_one_pass_is_recognised_too(system):
    (outcome,) = system.transcribe([write_wav(np.zeros(31 * 16_000))])
    assert (outcome.hypothesis, outcome.audio_s, outcome.error) == ("", 31.0, None)


def write_wav(waveform):
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.asarray(waveform * 32767, "<i2").tobytes())
    return content.getvalue()


def test_one_at_a_time_never_batches(system, clips, monkeypatch):
    single = load_system(
        SystemSpec(model="demo", precision="fp32", provider="cpu", threads=1, batch_size=1),
        show_progress=False,
    )
    monkeypatch.setattr(single.engine, "transcribe_batch", None)
    assert single.transcribe([clips[0].path])[0].hypothesis == "Салют, включи телеканал Культура."


def test_a_batch_that_fails_is_taken_one_by_one(caplog):
    calls = []

    def transcribe(items):
        calls.append(list(items))
        if "bad" in items:
            raise MemoryError("too much")
        return [item.upper() for item in items]

    with caplog.at_level(logging.WARNING, logger="evaluation"):
        assert together_or_each(transcribe, ["a", "bad", "c"]) == ["A", "MemoryError: too much", "C"]
    assert calls == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    assert together_or_each(transcribe, []) == []

    def is_gone(items):
        raise SystemUnavailableError("gone")

    with pytest.raises(SystemUnavailableError):
        together_or_each(is_gone, ["a", "b"])


def test_a_system_that_fails_on_a_packaged_clip_is_not_measured():
    class Broken:
        name, batch_size, info = "broken", 1, {}

        def transcribe(self, audios):
            assert decoded(audios[0]).audio_s > 2
            return [Outcome(error="ValueError: no")]

    with pytest.raises(SystemUnavailableError, match=r"broken failed on a packaged clip.*ValueError: no"):
        warm_up(Broken())


def test_the_machine_and_the_versions():
    info = machine.machine_info()
    assert info["cpu"]
    assert info["cores"] >= 1
    assert info == machine.machine_info()
    assert machine.package_versions()["numpy"] == np.__version__
    json.dumps(info)


def test_gpus_are_named_where_there_is_a_tool(monkeypatch):
    def answers(command, **options):
        return subprocess.CompletedProcess(command, 0, stdout="NVIDIA X, 81920 MiB, 550.1\n")

    def missing(command, **options):
        raise FileNotFoundError(command[0])

    machine._gpus.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(machine.subprocess, "run", answers)
        assert machine.machine_info()["gpus"] == ["NVIDIA X, 81920 MiB, 550.1"]
    machine._gpus.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(machine.subprocess, "run", missing)
        assert machine.machine_info()["gpus"] == []
    machine._gpus.cache_clear()


def test_names_of_files_are_safe():
    assert safe_name("a/b\\c: d") == "a-b-c-d"
    assert len(safe_name("x" * 500)) == 100
