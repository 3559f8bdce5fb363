"""The store of jobs: every change of a status, from where it may come, and what survives."""

from __future__ import annotations

import os
import sqlite3
import stat

import pytest

from gigastt_lab.server.jobs.database import ROW_BYTES
from gigastt_lab.server.jobs.records import is_id, new_id, restored, stored
from gigastt_lab.server.jobs.store import Clock, End, Store
from gigastt_lab.server.option import OptionError
from gigastt_lab.types import AudioWarning, Transcript, Word

TRANSCRIPT = Transcript(
    (Word("«Привет,", 0.1234567, 0.5, 0.25), Word("мир»!", 0.6, 1 / 3 + 1, 1.0)),
    2.0000001,
    warnings=(AudioWarning("cut", "the file was cut", 1.5, None),),
)


class Hours:
    """A clock that a test sets; it begins at noon of a day."""

    def __init__(self):
        self.s = 0.0

    def __call__(self):
        return self.s


@pytest.fixture
def hours():
    return Hours()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "jobs.sqlite3"


@pytest.fixture
def store(path, hours):
    opened = Store(path, Clock(hours))
    yield opened
    opened.close()


def added(store, *, n_bytes=100, max_queued=1000, wanted="json"):
    return store.add(
        new_id(), wanted=wanted, options={"strict": True}, request_id="r", n_bytes=n_bytes,
        max_queued=max_queued,
    )  # fmt: skip


def status_of(store, record):
    return store.get(record.id).status


def test_jobs_are_claimed_in_the_order_they_came_in(store):
    first, second = added(store, wanted="srt"), added(store)
    assert (first.status, first.position, second.position) == ("queued", 1, 2)
    assert (first.format, first.options, first.request_id, first.attempts) == (
        "srt",
        {"strict": True},
        "r",
        0,
    )
    claimed = store.claim()
    assert (claimed.id, claimed.status, claimed.attempts, claimed.position) == (
        first.id,
        "processing",
        1,
        None,
    )
    assert store.get(second.id).position == 1
    assert store.claim().id == second.id
    assert store.claim() is None


def test_a_job_that_is_put_back_is_the_next_one(store):
    first, _ = added(store), added(store)
    store.claim()
    assert store.requeue(first, counts=False)
    assert (store.get(first.id).attempts, store.get(first.id).started_at) == (0, None)
    assert not store.requeue(first, counts=False)  # it is not worked on
    again = store.claim()
    assert (again.id, again.attempts) == (first.id, 1)
    store.requeue(first, counts=True)
    assert store.claim().attempts == 2


def test_a_result_comes_back_as_it_was(store):
    record = added(store)
    store.claim()
    assert store.end(record, End("done", 2.0, 2.0), stored(TRANSCRIPT))
    back = restored(store.result(record))
    assert (back.words, back.duration_s, back.warnings) == (
        TRANSCRIPT.words, TRANSCRIPT.duration_s, TRANSCRIPT.warnings,
    )  # fmt: skip
    ended = store.get(record.id)
    assert (ended.status, ended.processed_s, ended.duration_s) == ("done", 2.0, 2.0)
    assert ended.finished_at is not None


def test_what_a_later_version_stores_besides_is_left_out():
    text = stored(TRANSCRIPT).replace('"text": "мир»!"', '"text": "мир»!", "speaker": 1')
    assert "speaker" in text
    assert restored(text).words == TRANSCRIPT.words


def test_whoever_comes_second_changes_nothing(store):
    record = added(store)
    assert not store.end(record, End("done"), "{}")  # nobody works on it
    store.claim()
    assert not store.delete(record)
    assert store.end(record, End("cancelled", 1.0, 4.0))
    assert not store.end(record, End("done", 4.0, 4.0), stored(TRANSCRIPT))
    assert store.result(record) is None
    assert not store.end(record, End("failed", code="x", message="y"))
    assert not store.requeue(record, counts=True)
    assert (status_of(store, record), store.get(record.id).processed_s) == ("cancelled", 1.0)
    assert store.delete(record)
    assert not store.delete(record)
    assert store.get(record.id) is None


def test_a_full_queue_takes_no_more(store):
    assert added(store, max_queued=1)
    assert added(store, max_queued=1) is None
    store.claim()
    assert added(store, max_queued=1)


def test_tallies_are_what_counting_gives(store):
    records = [added(store, n_bytes=1000) for _ in range(6)]
    for _ in range(4):
        store.claim()
    store.end(records[0], End("done"), stored(TRANSCRIPT))
    store.end(records[1], End("failed", code="bad_request", message="no audio"))
    store.end(records[2], End("cancelled"))
    store.end(records[5], End("cancelled"))
    store.delete(records[2])
    tally = store.tally()
    assert {name: n for name, n in tally.jobs.items() if n} == {
        "queued": 1, "processing": 1, "done": 1, "failed": 1, "cancelled": 1,
    }  # fmt: skip
    n_result = tally.n_bytes - 5 * ROW_BYTES - 2 * 1000
    assert 50 < n_result < 400  # the result is kept compressed; recordings only of two
    for record in (records[0], records[1], records[5]):
        store.delete(record)
    assert store.tally().n_bytes == 2 * (ROW_BYTES + 1000)


def test_pages_are_the_newest_first_and_miss_none(store):
    records = [added(store) for _ in range(7)]
    store.claim()
    pages, before = [], None
    while page := store.page(None, before, 3):
        pages.append([record.id for record in page])
        before = page[-1].seq
        added(store)  # what comes meanwhile shifts no page
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [each for page in pages for each in page] == [record.id for record in reversed(records)]
    assert [record.id for record in store.page("processing", None, 9)] == [records[0].id]
    for status in (None, "queued"):
        page = store.page(status, None, 5)
        assert page == [store.get(record.id) for record in page]  # with their places in the queue


def test_jobs_are_swept_when_their_time_is_over(store, hours):
    kept, swept, waiting = added(store), added(store), added(store)
    for _ in range(2):
        store.claim()
    store.end(swept, End("failed", code="x", message="y"))
    hours.s = 50
    store.end(kept, End("done"), stored(TRANSCRIPT))
    assert store.left_s(store.get(kept.id), 100) == 100
    assert store.left_s(store.get(waiting.id), 100) is None
    hours.s = 99
    assert store.sweep(100) == 0
    hours.s = 100
    assert store.sweep(100) == 1
    assert (store.get(swept.id), status_of(store, kept)) == (None, "done")
    hours.s = 150
    assert store.sweep(100) == 1
    assert status_of(store, waiting) == "queued"


def test_a_clock_that_was_set_back_keeps_no_result_for_years(path, hours):
    hours.s = 0
    before = Store(path, Clock(hours))
    record = added(before)
    before.claim()
    hours.s = 1e9  # as if this process had run in the future
    before.end(record, End("done"), stored(TRANSCRIPT))
    before.close()
    hours.s = 0
    store = Store(path, Clock(hours))
    assert store.left_s(store.get(record.id), 100) == pytest.approx(100, abs=60)
    store.close()


def test_a_wall_clock_that_jumps_is_not_looked_at(store, monkeypatch):
    record = added(store)
    store.claim()
    monkeypatch.setattr("time.time", lambda: 9e9)
    store.end(record, End("done"), stored(TRANSCRIPT))
    assert store.sweep(100) == 0
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert store.left_s(store.get(record.id), 100) == 100


def test_everything_survives_the_process(path, store):
    record, begun = added(store), added(store)
    store.claim()
    store.end(record, End("done", 2.0, 2.0), stored(TRANSCRIPT))
    store.claim()
    # As after SIGKILL: nothing was closed, and another process opens it.
    again = Store(path)
    assert restored(again.result(record)).words == TRANSCRIPT.words
    assert [each.id for each in again.begun()] == [begun.id]
    assert again.held() == {begun.id}
    again.close()


def test_only_its_user_may_read_the_database(path, store):
    added(store)
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}


def test_what_was_said_is_gone_from_the_disk_with_its_job(path, hours):
    store = Store(path, Clock(hours))
    records = [added(store) for _ in range(20)]
    for _ in records:
        store.claim()
    for record in records:
        store.end(record, End("done"), stored(TRANSCRIPT) + str(os.urandom(5000)))
    full = path.stat().st_size + path.with_name("jobs.sqlite3-wal").stat().st_size
    hours.s = 1000
    assert store.sweep(1) == 20
    assert path.stat().st_size + path.with_name("jobs.sqlite3-wal").stat().st_size < full / 2
    store.close()


def test_another_programs_database_is_left_alone(path):
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE jobs (name)")
    other.execute("INSERT INTO jobs VALUES ('theirs')")
    other.commit()
    with pytest.raises(OptionError, match=r"jobs\.sqlite3 is another program's database; give another"):
        Store(path)
    assert other.execute("SELECT name FROM jobs").fetchone() == ("theirs",)
    other.close()


def test_a_database_of_a_later_version_is_refused(path, store):
    store.close()
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(OptionError, match="is of a later version of this server"):
        Store(path)


@pytest.mark.parametrize("damage", [b"no database at all, though it is long enough" * 50, None])
def test_a_damaged_database_is_refused_with_what_to_do(path, store, damage):
    for _ in range(30):
        added(store)
    store.close()
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(damage or content[:middle] + os.urandom(4096) + content[middle + 4096 :])
    with pytest.raises(OptionError, match=r"cannot be used \(.*\); move it away, and the server begins anew"):
        Store(path)


def test_ids_cannot_be_guessed_and_are_file_names():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(map(is_id, ids))
    for text in (
        "",
        ".",
        "..",
        "a" * 21,
        "a" * 23,
        "a" * 21 + "/",
        "a" * 21 + "\n",
        "а" * 22,
        "a" * 21 + "\0",
    ):
        assert not is_id(text)
