"""Functions of one's own as systems: every form of audio, every form of text, and what goes wrong."""

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from evaluation.datasets.audio import as_wav
from evaluation.systems.code_digest import digest_of, name_of
from evaluation.systems.function import FunctionError, FunctionSystem
from gigastt_lab.types import Timings, Transcript

TONE = (np.sin(np.arange(16000) * 0.3) * 2**14).astype(np.int16).astype(np.float32) / 2**15


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(as_wav(TONE))
    return path


def test_audio_as_path_content_and_samples(wav):
    given = []

    def hear(audio):
        given.append(audio)
        if isinstance(audio, str):
            given.append(Path(audio).read_bytes())
        return "раз"

    for takes in ("path", "bytes", "array"):
        [one, two] = FunctionSystem(hear, takes=takes).transcribe([wav, wav.read_bytes()])
        assert (one.hypothesis, two.hypothesis, one.audio_s, two.audio_s) == ("раз", "раз", 1.0, 1.0)
        assert one.work_s > 0
    path, content, copy, same, *rest = given
    assert path == str(wav)
    assert Path(copy).suffix == ".wav"
    assert not Path(copy).exists()  # it was there for the call
    assert content == same == rest[0] == rest[1] == wav.read_bytes()
    np.testing.assert_array_equal(rest[2], TONE)
    np.testing.assert_array_equal(rest[3], TONE)


def test_lists(wav):
    sizes = []

    def hear(audios):
        sizes.append(len(audios))
        return np.array(["раз"] * len(audios))

    system = FunctionSystem(hear, batch_size=3)
    assert [each.hypothesis for each in system.transcribe([wav, wav])] == ["раз", "раз"]
    assert [each.hypothesis for each in system.transcribe([wav])] == ["раз"]
    assert sizes == [2, 1]
    assert system.batch_size == 3
    assert type(system.transcribe([wav])[0].hypothesis) is str


def test_a_list_that_fails_is_taken_one_by_one(wav):
    def hear(audios):
        if len(audios) > 1 or not audios[0].endswith("a.wav"):
            raise RuntimeError("слишком много")
        return ["раз"]

    good, bad = FunctionSystem(hear, batch_size=2).transcribe([wav, wav.read_bytes()])
    assert (good.hypothesis, good.error) == ("раз", None)
    assert (bad.hypothesis, bad.error, bad.audio_s) == (None, "RuntimeError: слишком много", 1.0)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("раз", "раз"),
        ("", ""),
        (np.str_("раз"), "раз"),
        ({"text": "раз", "chunks": []}, "раз"),
        (Transcript((), 1.0, Timings(), 0), ""),
    ],
)
def test_forms_of_text(result, text, wav):
    [outcome] = FunctionSystem(lambda audio: result).transcribe([wav])
    assert (outcome.hypothesis, outcome.error) == (text, None)


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (None, "the function gave None"),
        ({"text": None}, "the function gave None"),
        (5, "FunctionError: the function gave 5 (int), which is no text"),
        (["раз"], "the function gave ['раз'] (list), which is no text"),
        ({"transcription": "раз"}, "(dict), which is no text"),
        (b"abc", "(bytes), which is no text"),
    ],
)
def test_what_is_no_text_is_a_failure(result, error, wav):
    [outcome] = FunctionSystem(lambda audio: result).transcribe([wav])
    assert outcome.hypothesis is None
    assert error in outcome.error


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ("раз", "for 1 audios the function gave a str; give a list of texts"),
        (["раз", "два"], "for 1 audios the function gave 2 texts"),
        ({"text": ["раз"]}, "gave a dict; give a list"),
        (None, "gave a NoneType; give a list"),
        ([None], "the function gave None"),
    ],
)
def test_what_is_no_list_of_texts_is_a_failure(result, error, wav):
    [outcome] = FunctionSystem(lambda audios: result, batch_size=1).transcribe([wav])
    assert error in outcome.error


def test_audio_that_cannot_be_decoded(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("text")
    [heard] = FunctionSystem(lambda path: "раз").transcribe([path])
    assert (heard.hypothesis, heard.audio_s) == ("раз", None)  # the function can, perhaps
    [failed] = FunctionSystem(lambda samples: "раз", takes="array").transcribe([path])
    assert failed.hypothesis is None
    assert "AudioError" in failed.error


def test_the_first_exception_is_kept(wav):
    def hear(audio):
        raise KeyError("weights")

    system = FunctionSystem(hear)
    system.transcribe([wav, wav])
    assert isinstance(system.first_error, KeyError)


def test_an_interrupt_goes_through(wav):
    def hear(audio):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FunctionSystem(hear).transcribe([wav])


class Model:
    def __init__(self, size="small"):
        self.size = size

    def __call__(self, audio):
        return "раз"

    def listen(self, audio):
        return "два"

    async def wait(self, audio):
        return "раз"


def test_names():
    assert name_of(os.path.basename) == "basename"
    assert name_of(lambda audio: "") == "lambda"
    assert name_of(Model()) == "Model"
    assert name_of(Model().listen) == "Model-listen"
    assert name_of(functools.partial(Model().listen, beam=5)) == "Model-listen"
    assert FunctionSystem(lambda a: "", name="мой/движок").name == "мой-движок"


def made(beam):
    return lambda audio: f"{beam}"


LIMIT = 3


def shortened(text):
    return text[:LIMIT]


def hear_shortly(audio):
    return shortened("раз два") + (hear_shortly(audio) if not audio else "")


def test_a_digest_follows_names_of_the_module(monkeypatch):
    digests = [digest_of(hear_shortly)]
    monkeypatch.setitem(globals(), "LIMIT", 4)
    digests.append(digest_of(hear_shortly))

    def other(text):
        return text.strip()

    monkeypatch.setattr(other, "__module__", __name__)
    monkeypatch.setitem(globals(), "shortened", other)
    digests.append(digest_of(hear_shortly))
    monkeypatch.undo()
    assert len(set(digests)) == 3
    assert digest_of(hear_shortly) == digests[0]


def test_a_digest_tells_edited_functions_apart():
    one, same = made(5), made(5)
    others = [
        made(6),
        lambda audio: audio,
        lambda audio: audio.upper(),
        lambda audio, beam=5: audio,
        functools.partial(made, 5),
        functools.partial(made, 6),
        functools.partial(made, beam=6),
        Model(),
        Model("large"),
        Model().listen,
        Model("large").listen,
    ]
    assert digest_of(one) == digest_of(same)
    digests = [digest_of(each) for each in (one, *others)]
    assert len(set(digests)) == len(digests)
    assert digest_of(Model()) == digest_of(Model("small"))
    assert digest_of(len) == ""

    def recursive(audio):
        return recursive(audio) if empty else ""

    assert digest_of(recursive) == digest_of(recursive) != ""  # while one of its cells is still empty
    empty = False


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (Model, "Model is a class; give an object"),
        (5, "type int is no function from audio to text"),
        (None, "type NoneType is no function"),
        (Model().wait, "Model-wait is a coroutine function"),
    ],
)
def test_what_is_no_function_is_refused(function, message):
    with pytest.raises(FunctionError, match=message):
        FunctionSystem(function)


def test_options_outside_their_range_are_refused():
    with pytest.raises(ValueError, match="takes is 'file'; allowed are 'path', 'bytes', 'array'"):
        FunctionSystem(len, takes="file")
    with pytest.raises(ValueError, match="batch_size is 0"):
        FunctionSystem(len, batch_size=0)
