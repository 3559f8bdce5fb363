"""Sets of the package `datasets` that are open already."""

import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from evaluation.datasets.audio import decoded
from evaluation.datasets.named import open_dataset
from evaluation.datasets.pieces import Piece
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.audio.reading import from_array
from tests.support.paths import ROOT

hub = pytest.importorskip("datasets")

RATE = 8000
TONE = (0.5 * np.sin(np.arange(4000) * 0.3)).astype(np.float32)


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, TONE, RATE, subtype="FLOAT")
    return path


def content(wav, texts=("а", "б", "в"), **further):
    return {
        "audio": [{"bytes": wav.read_bytes(), "path": "a.wav"}] * len(texts),
        "text": list(texts),
        **further,
    }


@pytest.fixture
def data(wav):
    further = {
        "speaker_id": [1, 2, 1],
        "kind": [0, 1, 0],
        "vector": [[1.0], [2.0], [3.0]],
        "age": [5, None, 7],
    }
    found = hub.Dataset.from_dict(content(wav, **further))
    return found.cast_column("audio", hub.Audio(sampling_rate=16000)).cast_column(
        "kind", hub.ClassLabel(names=["речь", "шум"])
    )


def test_undecoded_audio_classes_by_name_and_small_columns(data):
    dataset = open_dataset(data)
    found = list(dataset)
    assert [each.id for each in found] == ["dataset/000000", "dataset/000001", "dataset/000002"]
    assert [each.reference for each in found] == ["а", "б", "в"]
    assert [each.speaker for each in found] == ["1", "2", "1"]
    assert [dict(each.metadata) for each in found] == [
        {"kind": "речь", "age": "5"}, {"kind": "шум"}, {"kind": "речь", "age": "7"},
    ]  # fmt: skip
    np.testing.assert_allclose(decoded(found[0].audio).waveform, from_array(TONE, RATE), atol=1e-6)
    assert [each.id for each in dataset] == [each.id for each in found]  # as often as wanted


def test_decoded_arrays_and_paths(wav, tmp_path):
    arrays = hub.Dataset.from_dict(
        {"audio": [{"array": TONE.tolist(), "sampling_rate": RATE}], "sentence": ["а"]}
    )
    plain = hub.Dataset.from_dict({"audio": [TONE.tolist()], "sampling_rate": [RATE], "text": ["а"]})
    paths = hub.Dataset.from_dict({"file": [str(wav)], "text": ["а"]})
    cast = hub.Dataset.from_dict({"audio": [str(wav)], "text": ["а"]}).cast_column("audio", hub.Audio())
    odd = hub.Dataset.from_dict({"sound": [str(wav)], "text": ["а"]}).cast_column("sound", hub.Audio())
    for each in (arrays, plain, paths, cast, odd):
        [utterance] = open_dataset(each)
        np.testing.assert_allclose(decoded(utterance.audio).waveform, from_array(TONE, RATE), atol=1e-6)


def test_formats_filters_and_samples(data):
    assert [each.reference for each in open_dataset(data.with_format("numpy"))] == ["а", "б", "в"]
    assert [each.reference for each in open_dataset(data.select([2, 0]))] == ["в", "а"]
    drawn = list(open_dataset(data, sample=2, seed=1))
    assert len(drawn) == 2
    assert [each.id for each in drawn] == sorted(each.id for each in drawn)
    by_id = {each.id: each.reference for each in open_dataset(data)}
    assert all(by_id[each.id] == each.reference for each in drawn)


def test_dicts_of_splits(data):
    both = hub.DatasetDict(train=data.select([0]), test=data.select([1, 2]))
    assert [each.reference for each in open_dataset(both)] == ["б", "в"]
    assert [each.reference for each in open_dataset(both, split="train")] == ["а"]
    assert len(list(open_dataset(hub.DatasetDict(validation=data)))) == 3  # the only one there is
    with pytest.raises(DatasetError, match="has no split 'dev'; it has 'train', 'test'"):
        open_dataset(both, split="dev")
    with pytest.raises(DatasetError, match=r"has no split .test.; it has .train., .dev."):
        open_dataset(hub.DatasetDict(train=data, dev=data))
    with pytest.raises(DatasetError, match=r"one split already .unnamed., not 'test'; leave split out"):
        open_dataset(data, split="test")


@pytest.mark.slow
def test_a_revision_is_the_fingerprint_the_same_in_every_process(wav):
    code = (
        "import sys, datasets; from pathlib import Path; from evaluation import open_dataset\n"
        "audio = [{'bytes': Path(sys.argv[1]).read_bytes(), 'path': 'a.wav'}] * 2\n"
        "data = datasets.Dataset.from_dict({'audio': audio, 'text': ['а', 'б']})\n"
        "print(open_dataset(data).revision)"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(wav)], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    here = hub.Dataset.from_dict(content(wav, ("а", "б")))
    assert open_dataset(here).revision == other.stdout.strip()
    assert open_dataset(here.select([0])).revision != other.stdout.strip()


def test_streams(data, wav):
    stream = data.to_iterable_dataset()
    dataset = open_dataset(stream)
    assert dataset.n_expected is None
    assert [each.reference for each in dataset] == ["а", "б", "в"]
    assert [dict(each.metadata) for each in dataset][1] == {"kind": "шум"}
    assert [each.id for each in open_dataset(stream, limit=2)] == ["dataset/000000", "dataset/000001"]
    assert open_dataset(stream).revision == dataset.revision
    with pytest.raises(DatasetError, match=r"no known number of rows.*give limit"):
        list(open_dataset(stream, sample=2))

    def rows():
        for text in ("а", "б"):
            yield {"audio": {"array": TONE, "sampling_rate": RATE}, "text": text}

    unknown = hub.IterableDataset.from_generator(rows)  # says nothing of its columns
    assert [each.reference for each in open_dataset(unknown)] == ["а", "б"]
    assert len(list(open_dataset(hub.IterableDatasetDict(test=stream)))) == 3


def test_a_stream_that_breaks_off_says_where():
    def rows():
        yield {"audio": {"array": TONE, "sampling_rate": RATE}, "text": "а"}
        raise OSError("gone")

    found = []
    with pytest.raises(DatasetError, match=r"broke off after row 0 \(OSError: gone\)"):
        found.extend(iter(open_dataset(hub.IterableDataset.from_generator(rows))))


def test_parquet_that_is_streamed_may_be_left_early(data, tmp_path):
    data.to_parquet(tmp_path / "a.parquet")
    files = {"test": str(tmp_path / "a.parquet")}
    stream = hub.load_dataset(
        "parquet", data_files=files, streaming=True, split="test", cache_dir=str(tmp_path / "cache")
    )
    assert len(list(open_dataset(stream, limit=1))) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.remove_columns("audio"), "no column .*for the audio"),
        (lambda data: data.remove_columns("text"), "no column .*for the reference"),
        (
            lambda data: data.remove_columns("text").rename_column("vector", "text"),
            "'text' holds .*, no text",
        ),
        (lambda data: data.remove_columns("text").rename_column("age", "text"), "the reference 5 is no text"),
        (lambda data: hub.DatasetDict(), "has no split 'test'; it has none"),
        (lambda data: hub.Audio(), "a datasets.Audio is no set of rows"),
    ],
)
def test_what_is_no_dataset_says_why(data, change, message):
    with pytest.raises(DatasetError, match=message):
        list(open_dataset(change(data)))


def test_a_path_with_a_start_is_a_piece_and_audio_of_the_set_is_whole(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"audio")
    times = {"text": "а", "start": 0.5, "end": 1.5}
    [piece] = open_dataset(hub.Dataset.from_list([{"path": str(path), **times}]))
    assert piece.audio == Piece(path, 0.5, 1.5)
    [whole] = open_dataset(hub.Dataset.from_list([{"audio": {"path": str(path), "bytes": None}, **times}]))
    assert whole.audio == path
