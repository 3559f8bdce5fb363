"""Forms that come piece by piece, folders of jobs, and what uploads are promised."""

from __future__ import annotations

import stat

import pytest

from gigastt_lab.server.errors import ApiError
from gigastt_lab.server.jobs.folder import Folder
from gigastt_lab.server.jobs.form import FormFile
from gigastt_lab.server.jobs.intake import Budget
from gigastt_lab.server.jobs.records import new_id
from gigastt_lab.server.option import OptionError

AUDIO = b"RIFF\r\n--xyz\r\n--x\r\n\r\n\0\xff"  # as like a boundary as audio may be
TYPE = "multipart/form-data; boundary=xyzw"


def part(name, content, filename=None):
    file = "" if filename is None else f'; filename="{filename}"'
    return (
        f'--xyzw\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    )


BODY = (
    part("model", b"whisper")
    + part("file", AUDIO, "запись.wav")
    + part("other", AUDIO, "b.wav")
    + b"--xyzw--\r\n"
)


def heard(body, size, content_type=TYPE):
    form = FormFile(content_type)
    found = [each for at in range(0, len(body), size) for each in form.fed(body[at : at + size])]
    form.finish()
    return b"".join(found)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_the_file_of_a_form_comes_whole_in_pieces_of_any_size(size):
    assert heard(BODY, size) == AUDIO


def test_a_file_may_be_empty_here():
    assert heard(part("file", b"", "a.wav") + b"--xyzw--", 5) == b""


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (BODY[:-20], "cannot be read"),
        (b"", "cannot be read"),
        (b"not a form", "cannot be read"),
        (part("audio", AUDIO, "a.wav") + b"--xyzw--", "has no file in its field `file`"),
        (part("file", AUDIO) + b"--xyzw--", "has no file in its field `file`"),
        (part("file", AUDIO, "a") + part("file", AUDIO, "b") + b"--xyzw--", "cannot be read; send one file"),
        (70 * part("x", b"1") + b"--xyzw--", "a few fields"),
        (b"--xyzw\r\nX-Long: " + 5000 * b"a" + b"\r\n\r\n", "cannot be read"),
        (b"--xyzw\r\nContent-Type: audio/wav\r\n\r\nabc\r\n--xyzw--", "has no file in its field `file`"),
    ],
)
@pytest.mark.parametrize("size", [1, 10_000])
def test_what_is_no_form_is_refused(body, complaint, size):
    with pytest.raises(ApiError) as caught:
        heard(body, size)
    assert caught.value.kind.code == "bad_request"
    assert complaint in caught.value.message


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=" + 300 * "a"]
)
def test_a_form_needs_a_boundary(content_type):
    with pytest.raises(ApiError, match="bad_request"):
        FormFile(content_type).fed(BODY)


def test_only_recordings_that_no_job_needs_are_swept(tmp_path):
    (tmp_path / "uploads").mkdir()
    theirs = tmp_path / "uploads" / "holiday.audio"
    theirs.touch()
    folder = Folder(tmp_path)
    kept, swept = new_id(), new_id()
    for job_id in (kept, swept):
        with folder.new(job_id) as file:
            file.write(b"audio")
            folder.keep(file)
    assert stat.S_IMODE(folder.recording(kept).stat().st_mode) == 0o600
    assert folder.sweep({kept}) == 1
    assert theirs.exists()
    assert folder.recording(kept).read_bytes() == b"audio"
    assert not folder.recording(swept).exists()
    folder.discard(kept)
    folder.discard(kept)
    folder.close()


def test_a_budget_promises_no_byte_twice_and_not_the_last_ones_of_a_disk():
    held, free = 40, 10**12
    budget = Budget(lambda: 100, lambda: held, lambda: free)
    budget.promise(60)
    with pytest.raises(ApiError, match="storage_full"):
        budget.promise(1)
    budget.take_back(60)
    budget.promise(30)
    free = 2**24 + 39  # besides what the database may need
    budget.promise(9)
    with pytest.raises(ApiError, match="storage_full"):
        budget.promise(1)


def test_a_folder_is_one_servers(tmp_path):
    path = tmp_path / "new" / "jobs"
    first = Folder(path)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((path / "uploads").stat().st_mode) == 0o700
    with pytest.raises(OptionError, match="is another server's, which is running; give each its own"):
        Folder(path)
    first.close()
    Folder(path).close()


def test_a_folder_in_which_nothing_can_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match=r"cannot be used: .*; give a directory in which"):
        Folder(tmp_path / "file" / "jobs")
    with pytest.raises(OptionError, match="cannot be used"):
        Folder(tmp_path / "file")
