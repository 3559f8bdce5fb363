"""Datasets in memory: frames, rows and the package `datasets`, with audio in every form."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from evaluation.datasets.audio import decoded
from evaluation.datasets.named import open_dataset
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.audio.reading import from_array

RATE = 8000
TONE = (0.5 * np.sin(np.arange(4000) * 0.3)).astype(np.float32)


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, TONE, RATE, subtype="FLOAT")
    return path


def one_row(audio, **further):
    return pd.DataFrame({"audio": pd.Series([audio], dtype=object), "text": ["раз"], **further})


def waveform(dataset):
    [utterance] = dataset
    found = decoded(utterance.audio)
    assert found.error is None
    return found.waveform


FORMS = {
    "path": one_row,
    "text of a path": lambda path: one_row(str(path)),
    "bytes": lambda path: one_row(path.read_bytes()),
    "bytearray": lambda path: one_row(bytearray(path.read_bytes())),
    "array and rate": lambda path: one_row(TONE, sampling_rate=RATE),
    "array and sample_rate": lambda path: one_row(TONE.astype(np.float64), sample_rate=float(RATE)),
    "list and rate": lambda path: one_row(TONE.tolist(), sampling_rate=RATE),
    "array in a dict": lambda path: one_row({"array": TONE, "sampling_rate": RATE, "path": "x.wav"}),
    "bytes in a dict": lambda path: one_row({"bytes": path.read_bytes(), "path": None}),
    "path in a dict": lambda path: one_row({"bytes": None, "path": str(path)}),
    "two channels": lambda path: one_row(np.stack([TONE, TONE]), sampling_rate=RATE),
    "rows": lambda path: [{"audio": path, "text": "раз"}],
    "columns": lambda path: {"audio": [path], "text": ["раз"]},
    "other names": lambda path: pd.DataFrame({"audio_filepath": [str(path)], "sentence": ["раз"]}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_audio_is_the_same_samples(form, wav):
    expected = from_array(TONE, RATE)
    np.testing.assert_allclose(waveform(open_dataset(FORMS[form](wav))), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8", "float16", "float64"])
def test_samples_of_every_dtype_are_those_of_an_array(dtype):
    scale, zero = {"int16": (2**15, 0), "int32": (2**31, 0), "uint8": (128, 128)}.get(dtype, (1, 0))
    samples = np.round(TONE * scale + zero) if scale > 1 else TONE
    samples = samples.astype(dtype)
    found = waveform(open_dataset(one_row(samples, sampling_rate=16000)))
    np.testing.assert_array_equal(found, from_array(samples, 16000))


def test_decoded_objects_of_datasets_are_taken(wav):
    class Samples:
        data, sample_rate = TONE[None], RATE

    class Decoder:
        def get_all_samples(self):
            return Samples

    np.testing.assert_allclose(waveform(open_dataset(one_row(Decoder()))), from_array(TONE, RATE), atol=1e-6)


def test_further_columns_are_speakers_sessions_durations_and_metadata(wav):
    table = pd.DataFrame(
        {
            "path": [str(wav)] * 3,
            "text": ["раз", "два", "три"],
            "client_id": [7, None, 8],
            "session": ["x", "y", None],
            "duration": [0.5, np.nan, 0.5],
            "city": ["Уфа", None, "Омск"],
            "when": pd.to_datetime(["2020-01-02", None, "2021-01-02"]),
            "noisy": [True, False, True],
            "vector": [[1.0, 2.0], [3.0], []],
        }
    )
    found = list(open_dataset(table))
    assert [each.id for each in found] == ["table/000000", "table/000001", "table/000002"]
    assert [each.speaker for each in found] == ["7", None, "8"]
    assert [each.session for each in found] == ["x", "y", None]
    assert [each.duration_s for each in found] == [0.5, None, 0.5]
    assert found[0].metadata["city"] == "Уфа"
    assert found[0].metadata["when"].startswith("2020-01-02")
    assert {"city", "when", "vector"}.isdisjoint(found[1].metadata)


def test_ids_stay_with_rows_that_are_filtered(wav):
    table = pd.DataFrame({"audio": [wav] * 4, "text": list("абвг")})
    assert [each.id for each in open_dataset(table[table["text"] > "б"])] == ["table/000002", "table/000003"]
    named = table.assign(id=["u1", "u2", "u3", "u4"])
    named.attrs["name"] = "мой"
    assert [each.id for each in open_dataset(named)] == ["мой/u1", "мой/u2", "мой/u3", "мой/u4"]
    by_label = table.set_index(pd.Index(["a", "b", "c", "d"]))
    assert next(each.id for each in open_dataset(by_label)) == "table/a"
    twice = pd.concat([table, table])
    assert [each.id for each in open_dataset(twice)][-1] == "table/000007"


def test_a_revision_is_a_digest_of_texts_and_audio(wav):
    table = pd.DataFrame({"audio": [TONE, TONE * 0.5], "text": ["а", "б"], "sampling_rate": RATE})
    first = open_dataset(table).revision
    assert open_dataset(table.copy()).revision == first
    changed = table.assign(text=["а", "в"]), table.assign(audio=[TONE, TONE]), table[:1]
    assert len({first, *(open_dataset(each).revision for each in changed)}) == 4


def test_rows_with_a_start_are_pieces_of_their_files(wav):
    table = pd.DataFrame(
        {
            "path": [wav] * 3,
            "text": list("абв"),
            "start": [0, 0.1, np.nan],
            "end": [0.1, 0.25, np.nan],
            "n": 1,
        }
    )
    found = list(open_dataset(table))
    whole = from_array(TONE, RATE)
    for utterance, (start, end) in zip(found, [(0, 1600), (1600, 4000), (0, None)], strict=True):
        np.testing.assert_allclose(decoded(utterance.audio).waveform, whole[start:end], atol=1e-6)
        assert utterance.metadata == {"n": "1"}
    assert [each.duration_s for each in found][:2] == [0.1, 0.15]
    # Audio that is in the cell is whole: its times say where it was cut out of something else.
    inside = one_row(wav.read_bytes(), start=5.0, end=5.5)
    assert len(waveform(open_dataset(inside))) == len(whole)
    with pytest.raises(DatasetError, match="row 000000: the piece ends at 1 s"):
        open_dataset(one_row(str(wav), start=2, end=1))


def test_rows_without_audio_or_reference_are_counted(wav):
    table = pd.DataFrame(
        {"audio": [str(wav), "no.wav", None, str(wav), str(wav)], "text": ["а", "б", "в", None, " "]}
    )
    dataset = open_dataset(table, duplicates="drop")
    assert [each.reference for each in dataset] == ["а"]
    assert [finding.reason for finding in dataset.exclusions] == [
        "no audio", "no audio", "no reference", "blank reference",
    ]  # fmt: skip
    assert dataset.n_rows == 5


def test_rows_are_drawn_as_of_any_dataset(wav):
    table = pd.DataFrame({"audio": [wav] * 20, "text": [f"т{i}" for i in range(20)]})
    drawn = open_dataset(table, sample=5, seed=3)
    assert len(list(drawn)) == 5
    assert drawn.drawing["sample"] == 5
    assert [each.id for each in open_dataset(table, limit=2)] == ["table/000000", "table/000001"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            pd.DataFrame({"audio": ["a"], "words": ["b"]}),
            "no column .*for the reference; there are: audio, words",
        ),
        (pd.DataFrame({"sound": ["a"], "text": ["b"]}), "no column .*for the audio; there are: sound, text"),
        (
            pd.DataFrame({"audio": ["no.wav"], "text": ["b"]}),
            "not one of its 1 rows.*'no.wav' .paths are of the current",
        ),
        (pd.DataFrame({"audio": [None], "text": ["b"]}), "not one of its 1 rows.*cells are empty"),
        (pd.DataFrame({"audio": [], "text": []}), "holds no rows"),
        (pd.DataFrame({"audio": ["a"], "text": [5]}), "row 000000: the reference 5 is no text"),
        (one_row(TONE), "samples without their rate; add a column sampling_rate"),
        (one_row(TONE, sampling_rate=5), "a sample rate of 5 Hz"),
        (one_row(TONE, sampling_rate="fast"), "cannot be taken"),
        (one_row(np.zeros((2, 2, 2), np.float32), sampling_rate=RATE), r"shape \(2, 2, 2\)"),
        (one_row(np.zeros((4000, 2), np.float32), sampling_rate=RATE), "4000 channels"),
        (one_row(np.zeros(4, np.complex64), sampling_rate=RATE), "dtype complex64"),
        (one_row([1, 2, 3], sampling_rate=RATE), "dtype int64"),
        (one_row({"sound": 1}), "a dict of sound is no audio"),
        (one_row(5), "int 5 is no audio; give a path"),
        (one_row(["a", "b"]), "is no audio"),
        ({"audio": ["a", "b"], "text": ["b"]}, "make no table"),
        ([1, 2], "type list is no dataset; give a name"),
        (5, "type int is no dataset"),
        (None, "type NoneType is no dataset"),
        (pd.DataFrame([["a", "b", "c"]], columns=["audio", "text", "text"]), "two columns 'text'"),
    ],
)
def test_what_is_no_dataset_says_why(data, message):
    with pytest.raises(DatasetError, match=message):
        open_dataset(data)


def test_options_that_choose_nothing_are_refused(wav):
    table = pd.DataFrame({"audio": [wav], "text": ["а"]})
    with pytest.raises(DatasetError, match="no splits to take 'test' of"):
        open_dataset(table, split="test")
    with pytest.raises(ValueError, match="for sets of the Hub"):
        open_dataset(table, revision="main")
    with pytest.raises(DatasetError, match="no column named 'x'"):
        open_dataset(table, text_column="x")
    with pytest.raises(ValueError, match="limit is 0"):
        open_dataset(table, limit=0)
