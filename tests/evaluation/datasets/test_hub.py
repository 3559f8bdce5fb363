"""Golos's names against a stand-in Hub: what comes, in which order, at which cost, and where it breaks."""

import hashlib
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from tests.support.dataset_hub import DatasetHub, Repository
from tests.support.golos_like import CROWD, CROWD_SHA, golos_schema, parquet
from tests.support.paths import SUPPORT

FARFIELD = "bond005/sberdevices_golos_100h_farfield"
FARFIELD_SHA = "c93949f7140beef4adc404e7b54841e957f81c54"
OTHER_SHA = "0123456789abcdef0123456789abcdef01234567"

N_SHARDS, N_GROUPS, N_IN_GROUP = 3, 3, 20  # of the crowd set: 180 rows
N_IN_SHARD = N_GROUPS * N_IN_GROUP
CLIP_BYTES = 30_000  # about a second of 16 kHz PCM16
GROUP_BYTES = N_IN_GROUP * CLIP_BYTES
TAIL_BYTES = 64 * 1024  # what pyarrow reads of a file's end, and what a request takes along


def crowd_rows():
    """Random bytes for audio, since nothing here decodes them; some rows out of the ordinary."""
    rng = np.random.default_rng(0)
    rows = [
        {"audio": {"bytes": rng.bytes(CLIP_BYTES), "path": f"{i:05d}.wav"}, "transcription": f"фраза {i}"}
        for i in range(N_SHARDS * N_IN_SHARD)
    ]
    rows[3]["transcription"] = None
    rows[4]["transcription"] = " \t"
    rows[5]["transcription"] = "..."  # normalising empties it: it stays
    rows[7]["audio"]["bytes"] = b""  # no audio file at all: found by who decodes it
    rows[70] = rows[2]
    return rows


CROWD_ROWS = crowd_rows()


def crowd_files():
    shards = [CROWD_ROWS[i * N_IN_SHARD : (i + 1) * N_IN_SHARD] for i in range(N_SHARDS)]
    return {
        "README.md": b"---\nlicense: other\n---\nGolos\n",
        "data/train-00000-of-00001.parquet": parquet(CROWD_ROWS[:2], golos_schema(), 2),
        **{
            f"data/test-{i:05d}-of-{N_SHARDS:05d}.parquet": parquet(rows, golos_schema(), N_IN_GROUP)
            for i, rows in enumerate(shards)
        },
    }


def other_files():
    """A set with columns of its own, one of them large."""
    rows = [
        {"audio": {"bytes": bytes([i]) * 100, "path": f"{i}.wav"}, "transcription": "да"}
        | {"speaker_id": "ab"[i % 2], "notes": chr(97 + i) * 1_000_000}
        for i in range(4)
    ]
    return {"data/test-00000-of-00001.parquet": parquet(rows, golos_schema(["speaker_id", "notes"]), 4)}


FOLDER_FILES = {
    "test/metadata.csv": "file_name,sentence\na.wav,раз\nb.wav,два\n".encode(),
    "test/a.wav": b"RIFF first",
    "test/b.wav": b"RIFF second",
}
SHARD = [f"data/test-{i:05d}-of-{N_SHARDS:05d}.parquet" for i in range(N_SHARDS)]


@pytest.fixture(scope="module")
def hub():
    farfield = {"data/test-00000-of-00001.parquet": parquet(CROWD_ROWS[:2], golos_schema(), 2)}
    repositories = {
        CROWD: Repository(CROWD_SHA, crowd_files()),
        FARFIELD: Repository(FARFIELD_SHA, farfield),
        "someone/speech": Repository(OTHER_SHA, other_files()),
        "someone/folder": Repository(OTHER_SHA, FOLDER_FILES),
    }
    with DatasetHub(repositories) as server:
        yield server


@pytest.fixture(scope="module")
def worker(hub, tmp_path_factory):
    keep = {k: v for k, v in os.environ.items() if not re.match(r"(HF_|.*_proxy$)", k, re.IGNORECASE)}
    home = tmp_path_factory.mktemp("hf")
    environment = {**keep, "HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    script = str(SUPPORT / "dataset_worker.py")
    with subprocess.Popen(
        [sys.executable, script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.stdin.close()
        # A crash at the end (see evaluation/datasets/parquet.py) would be a failure of every run that stops.
        assert process.wait(30) == 0
    assert hub.strangers == []


@pytest.fixture
def read(hub, worker):
    """Opens and reads in the worker; gives what it tells."""

    def ask(name, **options):
        worker.stdin.write(json.dumps([name, options]) + "\n")
        worker.stdin.flush()
        return json.loads(worker.stdout.readline())

    hub.reset()
    return ask


def numbers(result):
    return [int(utterance["id"].rpartition("/")[2]) for utterance in result["utterances"]]


def sha(content):
    return hashlib.sha256(content).hexdigest()


def test_every_row_comes_in_order_or_is_accounted_for(read, hub):
    result = read("golos-crowd")
    assert (result["error"], result["name"], result["revision"]) == (None, "golos-crowd", CROWD_SHA)
    assert numbers(result) == [i for i in range(180) if i not in (3, 4)]
    for number, utterance in zip(numbers(result), result["utterances"], strict=True):
        row = CROWD_ROWS[number]
        assert utterance["id"] == f"golos-crowd/test/{number:06d}"
        assert utterance["reference"] == row["transcription"]
        assert utterance["audio"] == sha(row["audio"]["bytes"])
        assert utterance["file_name"] == row["audio"]["path"]
    assert result["n_rows"] == 180
    assert result["findings"] == [
        ["golos-crowd/test/000003", "no reference", True],
        ["golos-crowd/test/000004", "blank reference", True],
        ["golos-crowd/test/000070", "duplicate", False],
    ]
    content = sum(len(hub.repositories[CROWD].files[path]) for path in SHARD)
    assert sum(hub.sent[path] for path in SHARD) < content * 1.02 + (N_GROUPS + 1) * N_SHARDS * 2 * TAIL_BYTES


def test_the_other_golos_name_is_pinned_too(read):
    result = read("golos-farfield")
    assert (result["revision"], numbers(result)) == (FARFIELD_SHA, [0, 1])
    assert FARFIELD_SHA in result["description"]


def test_a_limit_costs_one_row_group(read, hub):
    result = read("golos-crowd", limit=10)
    assert numbers(result) == [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]  # excluded rows do not count
    assert hub.sent[SHARD[0]] < GROUP_BYTES + 4 * TAIL_BYTES
    assert hub.sent[SHARD[1]] == hub.sent[SHARD[2]] == 0


def test_a_sample_is_the_same_each_time_and_costs_its_row_groups(read, hub):
    small, large = read("golos-crowd", sample=2, seed=3), read("golos-crowd", sample=60, seed=3)
    assert set(numbers(small)) < set(numbers(large))
    assert numbers(large) == sorted(numbers(large))
    assert numbers(read("golos-crowd", sample=60, seed=4)) != numbers(large)
    assert set(numbers(read("golos-crowd", sample=500))) == set(range(180)) - {3, 4}
    hub.reset()
    again = read("golos-crowd", sample=2, seed=3)
    assert again["utterances"] == small["utterances"]
    assert [utterance["audio"] for utterance in again["utterances"]] == [
        sha(CROWD_ROWS[i]["audio"]["bytes"]) for i in numbers(again)
    ]
    shards = {number // N_IN_SHARD for number in numbers(again)}
    for i in range(N_SHARDS):
        n_groups = len({number // N_IN_GROUP for number in numbers(again) if number // N_IN_SHARD == i})
        assert hub.sent[SHARD[i]] < n_groups * GROUP_BYTES + (6 if i in shards else 2) * TAIL_BYTES


def test_duplicates_are_dropped_on_demand(read):
    result = read("golos-crowd", duplicates="drop", limit=70)
    assert 70 not in numbers(result)
    assert ["golos-crowd/test/000070", "duplicate", True] in result["findings"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gap", "n_before"),
    [
        (range(int(1.5 * GROUP_BYTES), int(1.6 * GROUP_BYTES)), N_IN_SHARD + N_IN_GROUP),  # its second group
        (range(N_GROUPS * GROUP_BYTES, 10**9), N_IN_SHARD),  # its end, which says where the groups are
    ],
)
def test_a_shard_that_breaks_off_is_named_and_what_came_before_is_kept(read, hub, gap, n_before):
    hub.gaps[SHARD[1]] = gap
    result = read("golos-crowd")
    assert numbers(result) == [i for i in range(n_before) if i not in (3, 4)]
    assert f"{CROWD}, split 'test': reading broke off in {SHARD[1]} at row {n_before} (" in result["error"]
    assert hub.asked[SHARD[1]] > 50  # tried again and again
    hub.reset()
    assert len(read("golos-crowd")["utterances"]) == 178  # mended, it goes through


def test_a_shard_that_is_damaged_is_named(read, hub):
    files = hub.repositories[CROWD].files
    whole = files[SHARD[2]]
    files[SHARD[2]] = whole[:-8] + b"garbage!"
    try:
        result = read("golos-crowd")
    finally:
        files[SHARD[2]] = whole
    assert SHARD[2] in result["error"]
    assert numbers(result)[-1] == 2 * N_IN_SHARD - 1


def test_any_set_by_name_with_its_columns(read, hub):
    result = read("someone/speech", audio_column="audio", text_column="transcription")
    assert [utterance["id"] for utterance in result["utterances"]] == [
        f"someone/speech/test/{i:06d}" for i in range(4)
    ]
    assert [utterance["speaker"] for utterance in result["utterances"]] == list("abab")
    assert result["revision"] == OTHER_SHA
    assert hub.sent["data/test-00000-of-00001.parquet"] < 1_000_000  # the notes stay where they are
    assert read("someone/speech")["utterances"] == result["utterances"]  # usual names are found


@pytest.mark.parametrize(
    ("name", "options", "complaint"),
    [
        ("nobody/nothing", {}, "nobody/nothing cannot be opened"),
        ("golos-crowd", {"split": "dev"}, "split 'dev' cannot be opened"),
        (
            "golos-crowd",
            {"text_column": "text"},
            "no column named 'text' for the reference; there are: audio, ",
        ),
        ("golos-crowd", {"revision": "v2"}, "cannot be opened"),
        ("someone/folder", {}, "try the Hub's own conversion, revision 'refs/convert/parquet'"),
    ],
)
def test_what_is_not_there_is_named(read, name, options, complaint):
    assert complaint in read(name, **options)["error"]


@pytest.mark.slow
def test_an_unreachable_hub_is_named(read, tmp_path):
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    script = str(SUPPORT / "dataset_worker.py")
    ran = subprocess.run(
        [sys.executable, script],
        env=environment,
        input='["golos-crowd", {}]\n',
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{CROWD} cannot be opened (ConnectionError" in json.loads(ran.stdout)["error"]
