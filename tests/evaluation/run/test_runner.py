"""The runner: what it records, in which order, what it goes on from, and what it refuses."""

import logging
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.datasets.named import open_dataset
from evaluation.datasets.utterances import DatasetError, Utterance
from evaluation.records import writing as recording
from evaluation.records.files import End, Record, RecordError, line_of, read
from evaluation.run.batching import batches_of, windows_of
from evaluation.run.runner import run
from evaluation.systems.base import SystemUnavailableError
from evaluation.systems.engine import file_hashes
from evaluation.systems.registry import SystemSpec
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.registry import DEMO_DIRECTORY
from tests.support.runner_worker import N_UTTERANCES, Counting, Failing, texts_dataset

N_KEPT = N_UTTERANCES - 1  # one has no reference


def start(path, system=None, dataset=None, **options):
    return run(system or Counting(), dataset or texts_dataset(), path, show_progress=False, **options)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "counting.jsonl"


def break_off(path, n_records, system=None):
    """A file as a killed run leaves it: some records, and half a line."""
    start(path, system)
    file = read(path)
    lines = [file.header, *file.records[:n_records]]
    path.write_bytes(b"".join(map(line_of, lines)) + line_of(file.records[n_records])[:30])
    return file


def test_records_come_in_the_order_of_the_dataset(path):
    system = Counting()
    result = start(path, system, command="python -m gigastt_lab.eval run")
    file = read(path)
    assert [record.id for record in file.records] == [u.id for u in texts_dataset()]
    assert all(record.hypothesis == record.reference for record in file.records)
    assert file.records[0] == Record(
        id="texts/000", reference="номер 0", hypothesis="номер 0", audio_s=2.0, decode_s=0.1, work_s=0.5,
        words=(("номер 0", 0.0, 0.5, 0.9),),  # no audio: 0.wav is what the dataset calls it, and no file
    )  # fmt: skip
    assert (result.n_utterances, result.n_done, result.n_skipped, result.n_failed) == (N_KEPT, N_KEPT, 0, 0)
    assert file.end == End(
        n_rows=N_UTTERANCES,
        findings=({"id": "texts/004", "reason": "blank reference", "excluded": True, "same_as": None},),
    )


def test_the_header_says_what_was_run_on_what(path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.home", lambda: path.parent)
    start(
        path, Counting(model="m"), texts_dataset(description=f"from {path.parent}/a"), command=f"run {path}"
    )
    header = read(path).header
    assert (header.system, header.normalizer != "", header.version) == ("counting", True, 1)
    assert header.system_info == {"kind": "fake", "model": "m", "batch_size": 2, "window": 16}
    assert header.dataset["name"] == "texts"
    assert header.dataset["description"].startswith("from ~/a")
    assert {"python", "numpy", "gigastt-lab", "rapidfuzz"} < header.versions.keys()
    assert header.machine["cores"] >= 1
    assert header.command == "run ~/counting.jsonl"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", header.started)


def test_a_window_is_cut_into_batches_by_length(path):
    system = Counting(batch_size=3)
    start(path, system, window=2)
    lengths = [[len(text.encode()) for text in batch] for batch in system.batches]
    assert [len(batch) for batch in lengths] == [3, 3, 3, 1]
    assert [sorted(batch) for batch in lengths] == lengths
    assert max(lengths[0]) <= min(lengths[1])  # within the first window


def test_one_at_a_time_is_in_order(path):
    system = Counting(batch_size=1)
    start(path, system)
    assert system.batches == [[u.reference] for u in texts_dataset()]


def test_stated_durations_are_used_where_all_are_stated():
    utterances = [Utterance(str(i), b"x" * (9 - i), "a", duration_s=float(i)) for i in range(3)]
    assert [u.id for u in next(batches_of(utterances, 8))] == ["0", "1", "2"]
    utterances[0] = replace(utterances[0], duration_s=None)
    assert [u.id for u in next(batches_of(utterances, 8))] == ["2", "1", "0"]


def test_a_window_of_large_files_is_short(monkeypatch):
    monkeypatch.setattr("evaluation.run.batching.MAX_WINDOW_BYTES", 5)
    utterances = [Utterance(str(i), b"abc", "a") for i in range(5)]
    assert [len(window) for window in windows_of(utterances, 100)] == [2, 2, 1]


@pytest.mark.parametrize("n_records", [0, 1, 5, N_KEPT - 1])
def test_a_rerun_goes_on_and_redoes_nothing(path, n_records):
    whole = break_off(path, n_records)
    system = Counting()
    result = start(path, system)
    assert (result.n_done, result.n_skipped) == (N_KEPT - n_records, n_records)
    assert sorted(system.texts) == sorted(r.hypothesis for r in whole.records[n_records:])
    again = read(path)
    assert (again.records, again.end) == (whole.records, whole.end)


def test_of_a_finished_file_nothing_is_done(path):
    start(path)
    before = path.read_bytes()
    system = Counting()
    result = start(path, system, command="later")
    assert (result.n_done, result.n_skipped, system.batches) == (0, N_KEPT, [])
    assert path.read_bytes() == before


def test_a_system_is_not_loaded_where_nothing_is_left(path, monkeypatch):
    spec = SystemSpec(model="demo")
    loads = []

    def load(wanted, *, show_progress):
        loads.append(wanted)
        return Counting(model="loaded")

    monkeypatch.setattr("evaluation.run.runner.load_system", load)
    start(path, spec)
    assert loads == [spec]
    assert read(path).header.system_info["asked"] == {
        "kind": "engine", "model": "gigaam-demo", "precision": "auto", "provider": "auto", "threads": None,
        "batch_size": 8,
    }  # fmt: skip
    start(path, spec)
    file = read(path)
    path.write_bytes(b"".join(map(line_of, [file.header, *file.records])))  # all but the end
    start(path, spec)
    assert loads == [spec]
    with pytest.raises(RecordError, match=r"system_info\.asked\.threads is None there and 2 here"):
        start(path, replace(spec, threads=2))
    assert loads == [spec]
    path.write_bytes(b"".join(map(line_of, [file.header, *file.records[:3]])))
    assert start(path, spec).n_done == N_KEPT - 3
    assert loads == [spec] * 2


@pytest.fixture
def model_dir(tmp_path):
    return shutil.copytree(DEMO_DIRECTORY, tmp_path / "model")


def without_an_end(path, n_records=None):
    file = read(path)
    path.write_bytes(b"".join(map(line_of, [file.header, *file.records[:n_records]])))


def no_load(*_, **__):
    raise AssertionError("nothing is to be loaded")


@pytest.mark.parametrize("has_end", [True, False])
@pytest.mark.parametrize("kind", ["engine", "onnx-asr", "gigastt"])
def test_a_file_of_a_model_that_was_exchanged_is_refused(path, model_dir, monkeypatch, kind, has_end):
    spec = SystemSpec(kind=kind, model="demo", model_dir=model_dir)
    precision = "fp32" if kind == "onnx-asr" else "auto"
    info = {"files": file_hashes(ModelFiles.find(model_dir, precision)), "package_version": "1"}
    version = {"now": "1"}
    monkeypatch.setattr("evaluation.systems.registry.importlib.metadata.version", lambda name: version["now"])
    monkeypatch.setattr("evaluation.run.runner.load_system", lambda *_, **__: Counting(**info))
    start(path, spec)
    if not has_end:
        without_an_end(path)
    before = path.read_bytes()
    monkeypatch.setattr("evaluation.run.runner.load_system", no_load)
    joiner = ModelFiles.find(model_dir).joiner
    content = joiner.read_bytes()
    joiner.write_bytes(content[::-1])
    with pytest.raises(RecordError, match=rf"system_info\.files\.{joiner.name} is .* there and .* here"):
        start(path, spec)
    joiner.write_bytes(content)
    version["now"] = "2"
    if kind != "engine":
        with pytest.raises(RecordError, match=r"system_info\.package_version is '1' there and '2' here"):
            start(path, spec)
    version["now"] = "1"
    assert path.read_bytes() == before
    assert start(path, spec).n_done == 0


def test_a_model_that_is_no_longer_there_is_told_of(path, model_dir, monkeypatch, caplog):
    spec = SystemSpec(model="demo", model_dir=model_dir)
    monkeypatch.setattr("evaluation.run.runner.load_system", lambda *_, **__: Counting(files={"a": "b"}))
    start(path, spec)
    shutil.rmtree(model_dir)
    assert start(path, spec).n_done == 0
    assert re.search("files are not compared with those recorded .*no such model directory", caplog.text)


def test_audio_is_recorded_by_a_path_that_holds_elsewhere(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    Path("a.wav").write_bytes("да".encode())
    Path("a.csv").write_text("audio,text\na.wav,да\n", encoding="utf-8")

    class Reading(Counting):
        def transcribe(self, audios):
            return super().transcribe([audio.read_bytes() for audio in audios])

    start(path, Reading(), open_dataset("a.csv"))
    assert [record.audio for record in read(path).records] == ["~/a.wav"]


def test_what_a_system_really_runs_has_to_agree_when_it_is_loaded(path, monkeypatch):
    systems = iter([Counting(provider="cuda"), Counting(provider="cpu")])
    monkeypatch.setattr("evaluation.run.runner.load_system", lambda *_, **__: next(systems))
    start(path, SystemSpec(model="demo"))
    file = read(path)
    path.write_bytes(b"".join(map(line_of, [file.header, *file.records[:3]])))
    before = path.read_bytes()
    with pytest.raises(RecordError, match=r"system_info\.provider is 'cuda' there and 'cpu' here"):
        start(path, SystemSpec(model="demo"))
    assert path.read_bytes() == before


@pytest.mark.parametrize("is_finished", [True, False])
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"system": Counting(threads=4)}, r"system_info\.threads is None there and 4 here"),
        ({"system": Counting(batch_size=3)}, r"system_info\.batch_size is 2 there and 3 here"),
        ({"dataset": texts_dataset(revision="r2")}, r"dataset\.revision is 'r1' there and 'r2' here"),
        ({"window": 3}, r"system_info\.window is 16 there and 3 here"),
    ],
)
def test_a_file_of_another_run_is_refused(path, change, complaint, is_finished):
    if is_finished:
        start(path)
    else:
        break_off(path, 5)
    with pytest.raises(RecordError, match=complaint + r".*\(--out\).*\(--fresh\)"):
        start(path, **change)


def test_other_versions_are_refused(path, monkeypatch):
    start(path)
    monkeypatch.setattr("evaluation.run.runner.package_versions", lambda: {"python": "4.0"})
    with pytest.raises(RecordError, match=r"versions\.python is .* there and '4\.0' here; .* and \d+ more"):
        start(path)


def test_fresh_starts_anew(path):
    start(path)
    system = Counting(threads=4)
    result = start(path, system, fresh=True)
    assert (result.n_done, len(system.texts)) == (N_KEPT, N_KEPT)
    assert read(path).header.system_info["threads"] == 4


def test_the_old_file_is_there_until_the_new_one_has_a_header(path, monkeypatch):
    def fails(*_, **__):
        raise SystemUnavailableError("no such server")

    start(path)
    before = path.read_bytes()
    monkeypatch.setattr("evaluation.run.runner.load_system", fails)
    with pytest.raises(SystemUnavailableError):
        start(path, SystemSpec(model="demo"), fresh=True)
    assert path.read_bytes() == before


def test_a_file_that_is_no_record_file_is_left_alone(path):
    path.parent.mkdir()
    path.write_text("мои заметки\n", encoding="utf-8")
    with pytest.raises(RecordError, match="line 1 is no record"):
        start(path)
    assert path.read_text(encoding="utf-8") == "мои заметки\n"
    path.write_bytes(b"")  # as `mktemp` leaves it
    assert start(path).n_done == N_KEPT


def test_a_dataset_that_breaks_off(path):
    system = Counting()
    dataset = texts_dataset(breaks_at=7)
    with pytest.raises(DatasetError, match="broke off at 7"):
        start(path, system, dataset)
    assert len(read(path).records) == 6
    assert read(path).end is None
    result = start(path, system, dataset)
    assert (result.n_done, result.n_skipped) == (N_KEPT - 6, 6)
    assert len(system.texts) == N_KEPT
    assert [record.id for record in read(path).records] == [u.id for u in texts_dataset()]


def test_a_dataset_that_lost_an_utterance_is_noticed(path):
    break_off(path, 9)
    with pytest.raises(RecordError, match="utterances that the dataset lacks, texts/00"):
        start(path, dataset=texts_dataset(5))


def test_failures_are_recorded_and_listed(path, caplog):
    with caplog.at_level(logging.INFO, logger="evaluation"):
        result = start(path, Failing("3", "7"))
    assert [record.id for record in result.failures] == ["texts/003", "texts/007"]
    assert (result.failures[0].hypothesis, result.failures[0].error) == (None, "ValueError: bad номер 3")
    assert "2 of 10 utterances failed, and count as all words deleted" in caplog.text
    assert "texts/007: ValueError: bad номер длинный 7" in caplog.text
    # номер 3 and номер длинный 7 are 5 words of 29 in the references
    assert "WER 17.2%, RTFx 4.0, 2 failed" in caplog.text
    assert start(path, Failing("3", "7")).n_failed == 2  # of a finished file too


@pytest.mark.parametrize("is_finished", [True, False])
def test_failures_are_taken_again_where_that_is_asked_for(path, is_finished):
    whole = start(path, Failing("3", "7"))
    if not is_finished:
        without_an_end(path, 5)
    end = read(path).end
    system = Counting()
    assert start(path, system).n_failed == (2 if is_finished else 1)
    result = start(path, system, retry_failed=True)
    assert (result.n_failed, result.n_utterances) == (0, N_KEPT)
    assert (result.n_done, result.n_skipped) == (2, N_KEPT - 2) if is_finished else (1, N_KEPT - 1)
    file = read(path)
    assert [record.id for record in file.records] == [u.id for u in texts_dataset()]
    assert all(record.hypothesis == record.reference for record in file.records)
    assert file.header == whole.header
    assert end is None or file.end == end
    before = path.read_bytes()
    assert start(path, system, retry_failed=True).n_done == 0
    assert path.read_bytes() == before


def test_a_retry_that_is_broken_off_goes_on(path):
    start(path, Failing("3", "7"))
    with pytest.raises(SystemUnavailableError):
        start(path, Failing(gone_after=1), retry_failed=True)
    assert [(len(read(path).records), read(path).end)] == [(N_KEPT - 1, None)]
    result = start(path)
    assert (result.n_done, result.n_failed) == (1, 0)


def test_a_retry_without_its_system_leaves_the_file(path, monkeypatch):
    monkeypatch.setattr("evaluation.run.runner.load_system", lambda *_, **__: Failing("3"))
    start(path, SystemSpec(model="demo"))
    before = path.read_bytes()

    def fails(*_, **__):
        raise SystemUnavailableError("no such server")

    monkeypatch.setattr("evaluation.run.runner.load_system", fails)
    with pytest.raises(SystemUnavailableError):
        start(path, SystemSpec(model="demo"), retry_failed=True)
    assert path.read_bytes() == before


def test_a_system_that_is_gone_ends_the_run_and_marks_nothing(path):
    with pytest.raises(SystemUnavailableError):
        start(path, Failing(gone_after=2))
    assert [record.error for record in read(path).records] == [None] * 4
    assert start(path).n_skipped == 4


def test_an_interrupt_keeps_what_is_done(path, caplog):
    with pytest.raises(KeyboardInterrupt):
        start(path, Failing(gone_after=3, error=KeyboardInterrupt))
    assert f"{path} holds 6 utterances; the same command goes on" in caplog.text
    assert start(path).n_skipped == 6


def test_a_second_run_at_once_is_refused(path):
    class Nested(Counting):
        def transcribe(self, audios):
            with pytest.raises(RecordError, match="is being written by another run"):
                start(path)
            with pytest.raises(RecordError, match="is being written by another run"):
                start(path, fresh=True)
            return super().transcribe(audios)

    assert start(path, Nested()).n_done == N_KEPT
    assert sorted(item.name for item in path.parent.iterdir()) == ["counting.jsonl", "counting.jsonl.lock"]


def test_a_full_disk_leaves_what_was_written(path, monkeypatch):
    real, n_writes = recording.os.write, 0

    def write_less(descriptor, content):
        nonlocal n_writes
        n_writes += 1
        if n_writes == 3:
            raise OSError(28, "No space left on device")
        return real(descriptor, bytes(content)[:40])  # a write may take less than it is given

    with monkeypatch.context() as patched:
        patched.setattr(recording.os, "write", write_less)
        with pytest.raises(RecordError, match=r"cannot be written on \(No space left on device\)"):
            start(path)
    assert start(path).n_done == N_KEPT


def test_two_utterances_with_one_id_are_refused(path):
    dataset = texts_dataset()
    doubled = [*dataset, next(iter(dataset))]

    class Doubled:
        name, revision, description, n_rows, findings = "d", "r", "d", 0, ()
        drawing, n_expected = {}, None

        def __iter__(self):
            return iter(doubled)

    with pytest.raises(DatasetError, match="two utterances have the id 'texts/000'"):
        start(path, dataset=Doubled())


def test_a_window_below_one_is_refused(path):
    with pytest.raises(ValueError, match="window is 0"):
        start(path, window=0)
