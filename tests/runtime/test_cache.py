"""What is prepared of a model: made once, kept apart by what it belongs to, never left half made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gigastt_lab.errors import ModelError
from gigastt_lab.runtime import cache as model_cache
from gigastt_lab.runtime.cache import NotPreparedError


def test_an_entry_belongs_to_all_its_files_in_their_order(own_cache: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    made: list[Path] = []
    groups = [[one], [other], [one, other], [other, one], [one, other]]
    entries = [model_cache.entry("heads", group, made.append, own_cache) for group in groups]
    assert len(made) == len(set(entries)) == 4
    assert entries[2] == entries[4]
    other.write_bytes(b"3, changed")
    assert model_cache.entry("heads", [one, other], made.append, own_cache) not in entries


def test_what_was_found_out_is_found_out_once(own_cache: Path) -> None:
    asked: list[str] = []

    def find_out() -> str:
        asked.append("")
        return "yes"

    assert [model_cache.noted_here("question", find_out) for _ in range(2)] == ["yes", "yes"]
    assert model_cache.noted_here("another", find_out) == "yes"
    assert len(asked) == 2
    (own_cache / "notes").rename(own_cache / "gone")
    (own_cache / "notes").touch()  # nothing can be written there, not even by the superuser
    assert model_cache.noted_here("question", find_out) == "yes"
    assert len(asked) == 3


@pytest.mark.parametrize("damage", [b"", b"no", b"\xff\n", b"\0\0\0\0"])
def test_a_note_that_is_not_whole_counts_for_nothing(own_cache: Path, damage: bytes) -> None:
    """What a failing power supply leaves."""
    assert model_cache.noted_here("question", lambda: "yes") == "yes"
    (note,) = (own_cache / "notes").iterdir()
    note.write_bytes(damage)
    assert model_cache.noted_here("question", lambda: "found out again") == "found out again"
    assert model_cache.noted_here("question", lambda: "not asked") == "found out again"
    assert [path.name for path in note.parent.iterdir()] == [note.name]


def fill(folder: Path) -> None:
    (folder / "content").write_text("made", encoding="utf-8")


def content(folder: Path) -> str:
    return (folder / "content").read_text(encoding="utf-8")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"model")
    return path


def test_a_user_without_a_home(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in (model_cache.VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert model_cache.noted_here("question", lambda: "yes") == "yes"
    assert model_cache.prepared("heads", [model], fill, content) == "made"
    assert "no home directory" in caplog.text
    assert model_cache.VARIABLE in caplog.text


def test_no_place_to_write_at_all(own_cache: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_cache.touch()  # no directory
    monkeypatch.setattr("tempfile.tempdir", str(own_cache / "temporary"))
    with pytest.raises(NotPreparedError, match="nothing can be written"):
        model_cache.prepared("heads", [model], fill, content)


def test_a_file_that_cannot_be_read(own_cache: Path, model: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.onnx"
    with pytest.raises(NotPreparedError, match=r"missing\.onnx cannot be read \(No such file or directory\)"):
        model_cache.prepared("heads", [model, missing], fill, content)
    assert not own_cache.exists()


def test_what_is_damaged_is_made_again(own_cache: Path, model: Path) -> None:
    def refuse(_: Path) -> str:
        raise ModelError("no graph")

    with pytest.raises(NotPreparedError, match="was damaged, and is made again"):
        model_cache.prepared("heads", [model], fill, refuse)
    made: list[Path] = []

    def fill_and_note(folder: Path) -> None:
        made.append(folder)
        fill(folder)

    for _ in range(2):
        assert model_cache.prepared("heads", [model], fill_and_note, content) == "made"
    assert len(made) == 1


def test_what_a_killed_process_left_goes(own_cache: Path, model: Path) -> None:
    left = own_cache / "heads" / ".partial-1234" / "entry"
    left.mkdir(parents=True)
    (left / "content").write_bytes(b"half")
    model_cache.prepared("heads", [model], fill, content)
    assert not left.parent.exists()


def test_another_onnxruntime_needs_another_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    key = model_cache._key("0" * 64)
    monkeypatch.setattr(model_cache.ort, "__version__", "0.0.1")
    assert model_cache._key("0" * 64) != key


def test_entries_that_were_not_used_for_longest_go(own_cache: Path, tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "graph.onnx").touch()

    entries = []
    for i in range(6):
        model = tmp_path / f"{i}.onnx"
        model.write_bytes(bytes([i]))
        entries.append(model_cache.entry("encoders", [model], make, own_cache))
        os.utime(entries[-1], (i, i))
        if i == 3:
            os.utime(entries[0], (100, 100))  # used again
    assert [entry.is_dir() for entry in entries] == [True, False, False, True, True, True]


def test_what_fails_half_way_leaves_nothing(own_cache: Path, tmp_path: Path) -> None:
    model = tmp_path / "encoder.onnx"
    model.write_bytes(b"model")

    def fail(folder: Path) -> None:
        (folder / "graph.onnx").touch()
        raise NotPreparedError("no memory")

    with pytest.raises(NotPreparedError):
        model_cache.entry("encoders", [model], fail, own_cache)
    assert [path.name for path in (own_cache / "encoders").iterdir()] in ([], [".lock"])
