"""Runs over audio that was cut, is damaged or has holes: records and the log say so, or it is refused."""

import json
import logging

import numpy as np
import pytest

from evaluation.cli.main import main
from evaluation.datasets.named import open_dataset
from evaluation.datasets.noise import Noisy
from evaluation.quick.systems import evaluate
from evaluation.records.files import line_of, read
from evaluation.run.runner import run
from evaluation.stream_study.joined import PAUSE_S, Joined
from evaluation.systems.base import Outcome
from evaluation.systems.engine import EngineSystem
from evaluation.systems.function import FunctionSystem
from evaluation.systems.peers import FileSystem, WaveformSystem
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.models.registry import model_directory
from tests.support.audio_files import RATE, by_soundfile, ogg_pages, speechlike

SECONDS = 4.0
SAMPLES = speechlike(SECONDS)
FLAC = by_soundfile(SAMPLES, RATE, "FLAC")
OPUS = ogg_pages(by_soundfile(SAMPLES, RATE, "OGG", "OPUS"))
MIDDLE = len(FLAC) // 2
FILES = {
    "whole": FLAC,
    "cut": FLAC[:MIDDLE],
    "damaged": FLAC[:MIDDLE] + bytes(300) + FLAC[MIDDLE + 300 :],
    "hole": b"".join(OPUS[:3] + OPUS[4:]),
}
KINDS = [[], ["cut"], ["damaged"], ["hole"]]
TEXT = "раз два три"
REMARK = (
    "3 of 4 utterances were not heard whole: 1 cut (test/000001); 1 damaged (test/000002); 1 with a hole "
    "(test/000003); their references hold 9 of 12 words"
)


@pytest.fixture
def manifest(tmp_path):
    rows = []
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
        rows.append({"audio_filepath": name, "text": TEXT})
    path = tmp_path / "test.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def systems():
    def says(audio):
        return "раз"

    def say_each(waves):
        return ["раз" for _ in waves]

    return {
        "function of a path": FunctionSystem(says),
        "function of bytes": FunctionSystem(says, takes="bytes"),
        "function of samples": FunctionSystem(say_each, takes="array", batch_size=3),
        "package that reads": FileSystem("p", {}, transcribe=says, outcome=lambda t: Outcome(hypothesis=t)),
        "package of samples": WaveformSystem(
            "w", {}, batch_size=2, transcribe=say_each,
            outcome=lambda text: Outcome(hypothesis=text),
        ),
    }  # fmt: skip


def recorded(system, dataset, path):
    return read(run(system, dataset, path, show_progress=False).path)


@pytest.mark.parametrize("name", systems())
def test_every_system_that_decodes_here_says_what_was_lost(tmp_path, manifest, name, caplog):
    with caplog.at_level(logging.WARNING, "evaluation"):
        file = recorded(systems()[name], open_dataset(manifest), tmp_path / "a.jsonl")
    assert [[each.kind for each in record.warnings] for record in file.records] == KINDS
    _, cut, damaged, hole = file.records
    assert cut.warnings[0].start == pytest.approx(cut.audio_s, abs=0.01)
    assert cut.warnings[0].end == pytest.approx(SECONDS, abs=0.01)
    assert 0 < damaged.warnings[0].start < damaged.warnings[0].end < SECONDS
    assert hole.warnings[0].end - hole.warnings[0].start == pytest.approx(1.0, abs=0.05)
    assert {record.hypothesis for record in file.records} == {"раз"}
    assert REMARK in caplog.text
    assert "--strict-audio makes failures of those cut or damaged" in caplog.text
    assert b"warnings" not in line_of(file.records[0])


def test_the_engine_hears_a_cut_clip_as_far_as_it_goes(tmp_path, engine, clips):
    clip = clips[0]
    rows = []
    for name, share in (("whole", 1.0), ("half", 0.5)):
        data = clip.path.read_bytes()
        (tmp_path / name).write_bytes(data[: int(len(data) * share)])
        rows.append({"audio": str(tmp_path / name), "text": clip.text})
    score = evaluate(engine, rows, show_progress=False)
    whole, half = score.file.records
    assert whole.warnings == ()
    assert [each.kind for each in half.warnings] == ["cut"]
    assert half.warnings[0].start == pytest.approx(half.audio_s, abs=1e-3)
    assert half.warnings[0].end == pytest.approx(whole.audio_s, abs=1e-3)
    assert clip.text.startswith(half.hypothesis.split()[0])
    deleted = score.utterances["deletions"].tolist()
    assert deleted[0] < deleted[1]
    n_words = score.utterances["n_words"]
    assert f"its reference holds {n_words.iloc[1]} of {n_words.sum()} words" in repr(score)


@pytest.mark.parametrize("name", systems())
def test_strict_audio_makes_failures_of_what_was_cut_or_is_damaged(tmp_path, manifest, name):
    file = recorded(systems()[name], open_dataset(manifest, strict_audio=True), tmp_path / "a.jsonl")
    assert [record.hypothesis for record in file.records] == ["раз", None, None, "раз"]
    assert "the file was cut: it ends at" in file.records[1].error
    assert "could not be decoded (damaged)" in file.records[2].error
    assert all("Refused, as strict_audio asks" in file.records[at].error for at in (1, 2))
    assert [each.kind for each in file.records[3].warnings] == ["hole"]
    assert file.header.dataset["drawing"]["strict_audio"] is True
    assert "strict_audio" not in open_dataset(manifest).drawing  # records of before go on


def test_the_command_takes_it_and_notes_what_was_lost(tmp_path, manifest, capsys):
    asked = ["run", "--dataset", str(manifest), "--model", "demo", "--precision", "fp32"]
    assert main([*asked, "--out", str(tmp_path / "usual")]) == 0
    assert f"Note: {REMARK}" in capsys.readouterr().out
    main([*asked, "--out", str(tmp_path / "strict"), "--strict-audio"])
    assert "failed on 2 utterances; all their words count as deleted" in capsys.readouterr().out
    [path] = (tmp_path / "strict").glob("*.jsonl")
    assert [record.error is not None for record in read(path).records] == [False, True, True, False]


@pytest.fixture
def pieces(tmp_path):
    """Four pieces of a second of a recording that was cut at 2.5 s of 4, and one of the damaged one."""
    data = by_soundfile(SAMPLES, RATE, "WAV")
    (tmp_path / "long.wav").write_bytes(data[: 44 + int(2.5 * RATE) * 2])
    (tmp_path / "long.flac").write_bytes(FILES["damaged"])
    found = []
    decode_audio(FILES["damaged"], warnings=found)
    rows = [{"audio": "long.wav", "start": at, "end": at + 1, "text": TEXT} for at in range(4)]
    rows.append(
        {"audio": "long.flac", "start": found[0].start - 0.25, "end": found[0].end + 0.25, "text": TEXT}
    )
    rows.append({"audio": "long.flac", "start": 0, "end": found[0].start, "text": TEXT})
    path = tmp_path / "pieces.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path, found[0]


@pytest.mark.parametrize("takes", ["path", "array"])
def test_a_piece_says_what_its_recording_lacks_of_it(tmp_path, pieces, takes):
    path, damage = pieces
    file = recorded(FunctionSystem(lambda _: "раз", takes=takes), open_dataset(path), tmp_path / "a.jsonl")
    told = [[each[:1] + each[2:] for each in record.warnings] for record in file.records]
    length_s = damage.end - damage.start
    damaged = ("damaged", pytest.approx(0.25, abs=1e-3), pytest.approx(0.25 + length_s, abs=2e-3))
    assert told == [[], [], [("cut", 0.5, 1.0)], [], [damaged], []]
    assert "begins at 3 s, and the recording ends at 2.500 s: the file was cut" in file.records[3].error


def test_strict_audio_refuses_the_pieces_that_lack_something_alone(tmp_path, pieces):
    path, _ = pieces
    dataset = open_dataset(path, strict_audio=True)
    file = recorded(FunctionSystem(lambda _: "раз"), dataset, tmp_path / "a.jsonl")
    assert [record.error is None for record in file.records] == [True, True, False, False, False, True]


def test_losses_are_not_lost_where_a_dataset_is_made_of_another(manifest):
    noisy = list(Noisy(open_dataset(manifest), [10.0, 0.0]))
    assert [[each.kind for each in one.warnings] for one in noisy] == [k for k in KINDS for _ in range(2)]

    [joined] = Joined(open_dataset(manifest), 60)
    cut, damaged, hole = joined.warnings
    lengths = [len(decode_audio(data)) / RATE for data in FILES.values()]
    begins = np.cumsum([0.0, *[length + PAUSE_S for length in lengths[:-1]]])
    assert (cut.kind, cut.start) == ("cut", pytest.approx(begins[1] + lengths[1], abs=0.01))
    assert begins[2] < damaged.start < damaged.end < begins[2] + lengths[2]
    assert begins[3] < hole.start < hole.end < begins[3] + lengths[3]


def test_losses_of_what_a_dataset_was_made_of_are_recorded_and_refused(tmp_path, manifest):
    for strict, expected in ((False, 0), (True, 2)):
        noisy = Noisy(open_dataset(manifest, strict_audio=strict), [10.0])
        file = recorded(FunctionSystem(lambda _: "раз"), noisy, tmp_path / f"{strict}.jsonl")
        assert sum(record.error is not None for record in file.records) == expected
        assert [each.kind for each in file.records[3].warnings] == ["hole"]


@pytest.mark.slow
def test_systems_that_take_turns_tell_the_same(tmp_path, manifest, capsys):
    assert main(["run", "--dataset", str(manifest), "--model", "demo", "--out", str(tmp_path / "runs")]) == 0
    capsys.readouterr()
    paths = sorted((tmp_path / "runs").glob("*.jsonl"))
    first, second = ([record.warnings for record in read(path).records] for path in paths)
    assert first == second
    assert main(["compare", *map(str, paths)]) == 0
    assert capsys.readouterr().out.count(REMARK) == 1


def test_the_engine_system_is_one_of_them(tmp_path, manifest):
    system = EngineSystem.load(
        "gigaam-demo", model_directory("demo"), precision="fp32", provider="cpu", threads=1, batch_size=2
    )
    file = recorded(system, open_dataset(manifest), tmp_path / "a.jsonl")
    assert [[each.kind for each in record.warnings] for record in file.records] == KINDS
