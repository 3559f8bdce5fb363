"""Downloads with the real Hub client from a stand-in Hub: what arrives, what is resumed, what fits."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gigastt_lab.errors import (
    ChecksumError,
    DirectoryNotWritableError,
    DiskFullError,
    HubUnreachableError,
    ModelError,
)
from gigastt_lab.models.download import STAGING_NAME, download
from gigastt_lab.models.hub import Retries
from gigastt_lab.models.registry import DEMO_MODEL, KNOWN_MODELS
from gigastt_lab.models.storage import writing_to
from tests.support.downloads import (
    CONFIG,
    ENCODER,
    VOCABULARY,
    assert_complete,
    assert_incomplete,
    files_of_at_most,
    fill_cache,
)
from tests.support.hub import Cut, Hub, Whole, model_of


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A model directory that is not there yet."""
    return tmp_path / "deep" / "models"


# What arrives


def test_everything_arrives_once_and_the_encoder_last(hub: Hub, target: Path) -> None:
    names = download(hub.model, target)
    assert names == tuple(file.name for file in hub.model.files)
    assert names[-1] == ENCODER
    assert_complete(target, hub.model)
    assert [(request.method, request.name) for request in hub.requests] == [("GET", name) for name in names]


def test_a_second_call_asks_the_hub_for_nothing(hub: Hub, target: Path) -> None:
    download(hub.model, target)
    hub.requests.clear()
    assert download(hub.model, target) == ()
    assert hub.requests == []


# What the Hub's own cache has


def test_what_the_cache_has_is_not_fetched_and_takes_no_room(
    hub: Hub, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = fill_cache(hub, tmp_path / "hub", monkeypatch)
    assert download(hub.model, target) == tuple(file.name for file in hub.model.files)
    assert_complete(target, hub.model)
    assert hub.requests == []
    assert (target / ENCODER).samefile(snapshot / ENCODER)
    assert not (target / ENCODER).is_symlink()  # the cache may be deleted


def test_of_another_file_system_it_is_copied(
    hub: Hub, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("os.link", link)
    snapshot = fill_cache(hub, tmp_path / "hub", monkeypatch)
    download(hub.model, target)
    assert_complete(target, hub.model)
    assert hub.requests == []
    assert not (target / ENCODER).samefile(snapshot / ENCODER)


def test_of_another_revision_what_is_the_same_is_taken(
    hub: Hub, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = fill_cache(hub, tmp_path / "hub", monkeypatch, revision="another")
    blob = (snapshot / VOCABULARY).resolve()
    blob.write_bytes(bytes(blob.stat().st_size))  # another content of the same size
    (snapshot / CONFIG).unlink()
    download(hub.model, target)
    assert_complete(target, hub.model)
    assert {request.name for request in hub.requests} == {VOCABULARY, CONFIG}
    assert blob.read_bytes() == bytes(blob.stat().st_size)  # what is somebody else's is left alone


def test_only_what_is_missing_is_fetched(hub: Hub, published: Path, target: Path) -> None:
    shutil.copytree(published, target)
    (target / VOCABULARY).unlink()
    assert download(hub.model, target) == (VOCABULARY,)
    assert [request.name for request in hub.requests] == [VOCABULARY]
    assert_complete(target, hub.model)


def test_a_complete_directory_needs_no_lock(hub: Hub, published: Path, target: Path) -> None:
    shutil.copytree(published, target)
    (target / ".download.lock").mkdir()  # as in a read-only directory, no lock can be had
    assert download(hub.model, target) == ()
    (target / VOCABULARY).unlink()
    with pytest.raises(DirectoryNotWritableError):
        download(hub.model, target)


def test_another_config_is_kept(hub: Hub, target: Path) -> None:
    target.mkdir(parents=True)
    (target / CONFIG).write_text('{"ours": true}')
    assert CONFIG not in download(hub.model, target)
    assert (target / CONFIG).read_text() == '{"ours": true}'


def test_a_file_that_differs_is_neither_used_nor_overwritten(hub: Hub, published: Path, target: Path) -> None:
    shutil.copytree(published, target)
    right = (published / ENCODER).read_bytes()
    for wrong in (right[:-1], right[:-1] + bytes([right[-1] ^ 1])):  # by its size, by its checksum alone
        (target / ENCODER).write_bytes(wrong)
        with pytest.raises(ChecksumError, match=r"encoder\.onnx is not the file .* delete it and try again"):
            download(hub.model, target)
        assert (target / ENCODER).read_bytes() == wrong
    assert hub.requests == []


def test_the_packaged_model_is_not_downloaded(target: Path) -> None:
    with pytest.raises(ModelError, match="inside the package"):
        download(KNOWN_MODELS[DEMO_MODEL], target)


def test_no_bar_without_a_terminal(hub: Hub, target: Path, capfd: pytest.CaptureFixture[str]) -> None:
    download(hub.model, target)
    assert capfd.readouterr() == ("", "")


# What is resumed


def test_a_cut_connection_goes_on_where_it_was(
    hub: Hub, published: Path, target: Path, waits: list[float]
) -> None:
    hub.faults[ENCODER] = [Cut(100_000), Cut(120_000)]
    download(hub.model, target)
    assert_complete(target, hub.model)
    first, second, third = hub.requests_for(ENCODER)
    size = (published / ENCODER).stat().st_size
    # A chunk of 64 KiB may be lost with a cut, in the client's versions built on requests.
    assert 100_000 - 65_536 <= second.start <= 100_000
    assert second.start + 120_000 - 65_536 <= third.start <= second.start + 120_000
    assert third.headers["Range"] == f"bytes={third.start}-"
    assert first.sent + second.sent + third.sent <= size + 2 * 65_536
    assert waits == [1.0, 2.0]


def test_what_an_earlier_attempt_left_is_gone_on_from(hub: Hub, target: Path, waits: list[float]) -> None:
    hub.faults[ENCODER] = [Cut(200_000), *[Cut(0)] * 5]
    with pytest.raises(HubUnreachableError, match=r"encoder.*in 5 attempts: .*Check the connection"):
        download(hub.model, target)
    assert_incomplete(target)
    hub.faults.clear()
    hub.requests.clear()
    download(hub.model, target)
    assert_complete(target, hub.model)
    (request,) = hub.requests
    assert request.name == ENCODER
    assert request.start >= 200_000 - 65_536


def test_a_server_without_ranges_sends_all_again(hub: Hub, target: Path, waits: list[float]) -> None:
    hub.faults[ENCODER] = [Cut(100_000), Whole()]
    download(hub.model, target)
    assert_complete(target, hub.model)
    assert hub.requests_for(ENCODER)[1].start > 0


def test_a_damaged_rest_of_an_earlier_attempt_is_thrown_away(
    hub: Hub,
    target: Path,
    waits: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub.faults[ENCODER] = [Cut(200_000), *[Cut(0)] * 5]
    with pytest.raises(HubUnreachableError):
        download(hub.model, target)
    (part,) = (target / STAGING_NAME).iterdir()
    for damaged in (
        b"x" * part.stat().st_size,  # as after a power cut
        b"x" * hub.model.files[-1].size,
        b"x" * 10_000_000,  # longer than the file
    ):
        part.write_bytes(damaged)
        hub.faults.clear()
        download(hub.model, target)
        assert_complete(target, hub.model)
        (target / ENCODER).unlink()
        (target / STAGING_NAME).mkdir()
    assert "damaged" in caplog.text


def test_progress_starts_the_count_of_attempts_anew(
    hub: Hub, target: Path, tmp_path: Path, waits: list[float]
) -> None:
    big = b"0" * 3_000_000
    (tmp_path / "big").write_bytes(big)
    hub.files["big"] = big
    model = model_of(tmp_path, "big", ("big",))
    hub.faults["big"] = [Cut(0), Cut(1_200_000), Cut(0), Cut(1_200_000), Cut(0)]
    download(model, target, retries=Retries(attempts=3))
    assert (target / "big").read_bytes() == big
    assert waits == [1.0, 1.0, 2.0, 1.0, 2.0]


# The disk


@pytest.mark.parametrize("place", ["file/models", "file"])
def test_a_directory_that_cannot_be_made(hub: Hub, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("no directory")  # fails for root, too, whom permissions do not stop
    with pytest.raises(DirectoryNotWritableError, match=f"{place} cannot be written to .*--model-dir"):
        download(hub.model, tmp_path / place)
    assert hub.requests == []
    assert (tmp_path / "file").read_text() == "no directory"


def test_a_directory_without_permission(hub: Hub, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        probe = tmp_path / "probe"
        probe.mkdir()
    except PermissionError:
        with pytest.raises(DirectoryNotWritableError, match="Permission denied"):
            download(hub.model, tmp_path / "models")
    else:
        pytest.skip("this user may write anywhere")
    finally:
        tmp_path.chmod(0o700)


def test_room_is_looked_for_before_anything_is_fetched(
    hub: Hub, published: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(published)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=200_000))
    with pytest.raises(DiskFullError, match=r"has 200 kB free, and \d+ kB are to be downloaded"):
        download(hub.model, target)
    assert hub.requests == []
    shutil.copy(published / ENCODER, target / ENCODER)
    download(hub.model, target)  # the rest is small


def test_a_disk_that_fills_on_the_way(hub: Hub, target: Path) -> None:
    with (
        files_of_at_most(150_000),
        pytest.raises(DiskFullError, match=r"File too large.*make room") as caught,
    ):
        download(hub.model, target)
    assert "goes on" not in str(caught.value)  # quantizing says the same, and begins anew
    assert_incomplete(target)
    hub.requests.clear()
    download(hub.model, target)
    assert_complete(target, hub.model)
    assert [request.start for request in hub.requests_for(ENCODER)] == [150_000]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_device_that_is_full(hub: Hub, target: Path) -> None:
    encoder = hub.model.files[-1]
    (target / STAGING_NAME).mkdir(parents=True)
    (target / STAGING_NAME / f"{ENCODER}.{encoder.sha256[:16]}.part").symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match="No space left on device"):
        download(hub.model, target)
    assert_incomplete(target)


def test_our_errors_pass_through_the_translation(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match=r"^ours$"), writing_to(tmp_path):
        raise DiskFullError("ours")


# Several at once


def test_threads_of_one_process_do_not_meet(hub: Hub, target: Path) -> None:
    threads = [threading.Thread(target=download, args=(hub.model, target)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_complete(target, hub.model)
    assert len(hub.requests) == len(hub.model.files)


def test_bytes_of_another_revision_are_not_gone_on_from(hub: Hub, target: Path, waits: list[float]) -> None:
    old = replace(hub.model.files[-1], sha256="0" * 64)
    (target / STAGING_NAME).mkdir(parents=True)
    (target / STAGING_NAME / f"{ENCODER}.{old.sha256[:16]}.part").write_bytes(b"old" * 1000)
    download(hub.model, target)
    assert [request.start for request in hub.requests_for(ENCODER)] == [0]
    assert_complete(target, hub.model)


def test_bytes_of_another_revision_make_room_first(
    hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (target / STAGING_NAME).mkdir(parents=True)
    stray = target / STAGING_NAME / f"{ENCODER}.0123456789abcdef.part"
    stray.write_bytes(b"old" * 1000)
    usage = shutil.disk_usage(target)
    free = {True: 0, False: 10_000_000}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free[stray.exists()]))
    download(hub.model, target)
    assert_complete(target, hub.model)


def test_a_staging_folder_with_nothing_to_do_is_removed(hub: Hub, target: Path) -> None:
    download(hub.model, target)
    (target / STAGING_NAME).mkdir()
    (target / STAGING_NAME / "left.part").write_bytes(b"left")
    assert download(hub.model, target) == ()
    assert_complete(target, hub.model)


@pytest.mark.parametrize("name", [ENCODER, CONFIG])
def test_a_directory_in_the_place_of_a_file_is_named(hub: Hub, target: Path, name: str) -> None:
    (target / name).mkdir(parents=True)
    with pytest.raises(ModelError, match=rf"{name} is a directory, in the place of a model file") as caught:
        download(hub.model, target)
    assert not isinstance(caught.value, ChecksumError)
    assert hub.requests == []


def test_the_client_is_not_loaded_before_it_is_needed() -> None:
    heavy = ["huggingface_hub", "filelock", "onnx", "onnxruntime"]
    code = f"import sys, gigastt_lab.__main__; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
