"""`evaluation.evaluate`: any system over any dataset, in one call."""

import logging
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evaluation
from evaluation.datasets.utterances import DatasetError
from evaluation.quick.asked import asked_for
from evaluation.records.files import RecordError, read
from evaluation.systems.base import SystemUnavailableError
from evaluation.systems.function import FunctionError
from evaluation.systems.registry import SystemSpec, load_system
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY, model_directory

N = 4


@pytest.fixture(scope="module")
def table(clips):
    return pd.DataFrame(
        {
            "audio": [str(clip.path) for clip in clips[:N]],
            "text": [clip.text for clip in clips[:N]],
            "city": "Уфа",
        }
    )


@pytest.fixture
def demo():
    return evaluation.open_dataset("demo", limit=N)


@pytest.fixture(autouse=True)
def no_folder_is_left(tmp_path, monkeypatch):
    """A run without `out` leaves nothing behind, whatever happens."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def texts_of(one):
    return one.utterances["hypothesis"].tolist()


@pytest.mark.slow
def test_engine_name_spec_system_function_and_object_give_the_same_texts(demo, engine):
    spec = SystemSpec(model="demo", precision="fp32")

    class Recogniser:
        def __call__(self, features):
            raise NotImplementedError  # as that of a network is, which takes no path

        def transcribe(self, path):
            return engine.transcribe(path)

    systems = {
        "engine": (engine, {}),
        "engine one by one": (engine, {"batch_size": 1}),
        "spec": (spec, {}),
        "system": (load_system(spec, show_progress=False), {}),
        "function of a path": (lambda path: engine.transcribe(path).text, {}),
        "function of bytes": (engine.transcribe, {"takes": "bytes"}),
        "function of samples": (lambda x: engine.transcribe(x, sample_rate=16000), {"takes": "array"}),
        "function of a list": (engine.transcribe_batch, {"batch_size": 3}),
        "object": (Recogniser(), {}),
    }
    found = {
        name: evaluation.evaluate(system, demo, show_progress=False, **options)
        for name, (system, options) in systems.items()
    }
    expected = [engine.transcribe(utterance.audio).text for utterance in demo]
    assert {name: texts_of(one) for name, one in found.items()} == dict.fromkeys(systems, expected)
    assert all(one.speed.n_timed == N for one in found.values())
    assert found["object"].system == "Recogniser"
    assert found["engine"].system == found["spec"].system
    assert found["function of a list"].system == "Engine-transcribe_batch"
    assert {one.wer for one in found.values()} == {found["engine"].wer}


@pytest.mark.slow
def test_a_model_by_its_name(demo):
    one = evaluation.evaluate("demo", demo, show_progress=False, batch_size=2)
    assert one.system.startswith("gigaam-demo_")
    assert one.system.endswith("_b2")


def test_names_and_directories_are_specs():
    by_name, by_path = asked_for("demo", batch_size=2), asked_for(model_directory("demo"))
    assert (by_name.model, by_name.batch_size) == ("gigaam-demo", 2)
    assert by_path.model_dir == model_directory("demo")
    assert asked_for("http://127.0.0.1:9/v1").options["url"].startswith("http://127.0.0.1:9")
    assert asked_for("onnx-asr").kind == "onnx-asr"


@pytest.mark.slow
def test_any_dataset(table, engine):
    def hear(path):
        return engine.transcribe(path)

    expected = None
    for data in (evaluation.open_dataset("demo", limit=N), table.to_dict("records"), table):
        one = evaluation.evaluate(hear, data, show_progress=False)
        expected = expected or texts_of(one)
        assert texts_of(one) == expected
    assert one.file.records[0].metadata == {"city": "Уфа"}


def test_a_set_of_the_package_datasets(table, engine):
    hub = pytest.importorskip("datasets")
    data = hub.Dataset.from_list(table.to_dict("records")).cast_column(
        "audio", hub.Audio(sampling_rate=16000)
    )
    one = evaluation.evaluate(engine, data, show_progress=False)
    assert texts_of(one) == [engine.transcribe(path).text for path in table["audio"]]


def test_failures_are_counted_not_raised(table, caplog):
    def hear(path):
        if "clip_01" in path:
            raise RuntimeError("нет памяти")
        return None if "clip_02" in path else "раз"

    with caplog.at_level(logging.WARNING):
        one = evaluation.evaluate(hear, table, show_progress=False)
    assert one.failures["error"].tolist() == ["RuntimeError: нет памяти", "the function gave None"]
    assert "2 utterances failed, and count as all words deleted." in repr(one)
    assert "2 of 4 utterances failed" in caplog.text


def test_what_fails_on_all_is_raised_with_its_cause(table, tmp_path):
    def hear(audios):
        return audios.shape

    for out in (None, tmp_path / "runs"):
        with pytest.raises(
            SystemUnavailableError,
            match=r"hear failed on all 4 utterances, .* with: AttributeError.*paths of audio files",
        ) as raised:
            evaluation.evaluate(hear, table, out=out, show_progress=False)
        assert isinstance(raised.value.__cause__, AttributeError)
    assert not list(tmp_path.rglob("*.jsonl"))  # what was mended starts anew

    def hear(path):
        return "раз"

    assert len(evaluation.evaluate(hear, table, out=tmp_path / "runs", show_progress=False).failures) == 0


def test_a_record_file_is_kept_and_gone_on_with(table, tmp_path):
    calls = []

    def hear(path):
        calls.append(path)
        return "раз"

    first = evaluation.evaluate(hear, table, out=tmp_path, name="мой", show_progress=False)
    second = evaluation.evaluate(hear, table, out=str(tmp_path), name="мой", show_progress=False)
    assert len(calls) == N
    assert first.file == second.file
    [path] = tmp_path.rglob("*.jsonl")
    assert path.name == "мой.jsonl"
    assert read(path).records == first.file.records

    def other(path):
        return "два"

    with pytest.raises(RecordError, match=r"begun by another run: system_info.function is .hear. there"):
        evaluation.evaluate(other, table, out=tmp_path, name="мой", show_progress=False)
    renewed = evaluation.evaluate(other, table, out=tmp_path, name="мой", fresh=True, show_progress=False)
    assert texts_of(renewed) == ["два"] * N
    with pytest.raises(RecordError, match=r"begun by another run: dataset.revision"):
        evaluation.evaluate(other, table[:2], out=tmp_path, name="мой", show_progress=False)


def test_failed_ones_are_taken_again_on_request(table, tmp_path):
    broken = {"clip_01"}

    def hear(path):
        if any(name in path for name in broken):
            raise OSError("нет связи")
        return "раз"

    assert len(evaluation.evaluate(hear, table, out=tmp_path, show_progress=False).failures) == 1
    broken.clear()
    assert len(evaluation.evaluate(hear, table, out=tmp_path, show_progress=False).failures) == 1
    again = evaluation.evaluate(hear, table, out=tmp_path, retry_failed=True, show_progress=False)
    assert len(again.failures) == 0


def test_an_interrupt_keeps_what_is_done(table, tmp_path):
    calls = []

    def hear(path):
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return "раз"

    with pytest.raises(KeyboardInterrupt):
        evaluation.evaluate(hear, table, out=tmp_path, show_progress=False)
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        evaluation.evaluate(hear, table[:3], show_progress=False)
    assert len(read(next(tmp_path.rglob("*.jsonl"))).records) == 2


def test_two_systems_are_compared(table):
    refs = dict(zip(table["audio"], table["text"], strict=True))
    perfect = evaluation.evaluate(lambda path: refs[path], table, name="perfect", show_progress=False)
    silent = evaluation.evaluate(lambda path: "", table, name="silent", show_progress=False)
    found = evaluation.compare(perfect, silent)
    assert (perfect.wer.rate, silent.wer.rate, found.wer.difference) == (0, 1, -1)


def test_options_are_those_of_a_score(table):
    one = evaluation.evaluate(lambda path: "Раз.", table, profile="verbatim", level=0.9, show_progress=False)
    assert (one.options.profile, one.wer.level) == ("verbatim", 0.9)
    with pytest.raises(ValueError, match="level is 90"):  # before anything is transcribed
        evaluation.evaluate(lambda path: pytest.fail("called"), table, level=90)
    with pytest.raises(TypeError, match=r"limit is of the dataset: give evaluation.open_dataset"):
        evaluation.evaluate(lambda path: pytest.fail("called"), table, limit=2)


@pytest.mark.parametrize(
    ("system", "message"),
    [
        (None, "type NoneType is no function from audio to text"),
        (5, "type int is no function"),
        (pd.DataFrame(), "type DataFrame is no function"),
        (Path, "Path is a class; give an object of it"),
        ("whisper", "there is no system 'whisper'; give a model"),
    ],
)
def test_what_is_no_system_is_refused(system, message):
    with pytest.raises(FunctionError, match=message):
        evaluation.evaluate(system, "demo")


def test_options_for_functions_alone_are_refused(engine):
    with pytest.raises(ValueError, match="takes: for functions alone"):
        evaluation.evaluate(engine, "demo", takes="array")
    with pytest.raises(ValueError, match="batch_size is 0"):
        evaluation.evaluate(engine, "demo", batch_size=0)
    with pytest.raises(ValueError, match="name: for functions alone"):
        evaluation.evaluate("demo", "demo", name="мой")
    with pytest.raises(ValueError, match="batch_size: for functions alone"):
        evaluation.evaluate(SystemSpec(model="demo"), "demo", batch_size=2)


def test_a_dataset_with_nothing_to_score_says_what_was_left_out(table):
    with pytest.raises(DatasetError, match=r"table has no utterance to score; left out: 4 x blank reference"):
        evaluation.evaluate(lambda path: "раз", table.assign(text=" "), show_progress=False)
    with pytest.raises(DatasetError, match="there is no dataset 'nowhere'"):
        evaluation.evaluate(lambda path: "раз", "nowhere")
    with pytest.raises(DatasetError, match="type ndarray is no dataset"):
        evaluation.evaluate(lambda path: "раз", np.zeros(3))


def test_the_packaged_clips_are_where_they_were():
    assert DEMO_CLIPS_DIRECTORY.is_dir()
