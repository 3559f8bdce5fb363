"""What people hand over as audio: every kind is heard, or refused with what to give instead."""

from __future__ import annotations

import array
import asyncio
import io
import os
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
import soundfile

from gigastt_lab import AudioError, Engine
from gigastt_lab.audio import spooled as spooling
from gigastt_lab.audio.inputs import given, waveform_of
from gigastt_lab.audio.reading import audio_blocks, decode_audio, from_array
from tests.support.audio_files import RATE, by_soundfile

TONE = (np.sin(np.arange(RATE // 4) * 0.2) / 2).astype(np.float32)
PCM = (TONE * 32767).astype(np.int16)
FILE = by_soundfile(TONE, RATE, "FLAC", "PCM_24")


class Tensor:
    """Samples of another library."""

    def __init__(self, samples: np.ndarray) -> None:
        self.samples = samples

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return self.samples


class OnAnAccelerator:
    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


class Decoder:
    """An `AudioDecoder` of torchcodec, as `datasets` gives it."""

    def get_all_samples(self) -> SimpleNamespace:
        return SimpleNamespace(data=Tensor(TONE[None]), sample_rate=RATE)


class Segment:
    """A stereo segment of pydub."""

    frame_rate, channels = RATE, 2

    def get_array_of_samples(self) -> array.array:
        return array.array("h", np.repeat(PCM, 2).tobytes())


def heard(audio: object, sample_rate: int | None = None) -> np.ndarray:
    return waveform_of(audio, sample_rate, None)


@pytest.mark.parametrize(
    ("audio", "rate"),
    [
        (TONE, RATE),
        (TONE[None], RATE),
        (np.stack([TONE, TONE], axis=1), RATE),  # as soundfile.read gives it
        (TONE[:, None], RATE),
        (TONE.tolist(), RATE),
        (tuple(TONE.tolist()), RATE),
        ([TONE.tolist(), TONE.tolist()], RATE),
        (PCM, RATE),
        (array.array("h", PCM.tobytes()), RATE),
        (array.array("f", TONE.tobytes()), RATE),
        (memoryview(PCM), RATE),
        (pd.Series(TONE), RATE),
        (Tensor(TONE), RATE),
        (Tensor(PCM), RATE),
        ((RATE, PCM), None),  # scipy.io.wavfile.read, Gradio
        ((RATE, np.stack([PCM, PCM], axis=1)), None),
        ((TONE, RATE), None),  # librosa.load, soundfile.read
        ((Tensor(TONE[None]), np.int64(RATE)), None),  # torchaudio.load
        ((TONE, float(RATE)), RATE),
        ({"array": TONE, "sampling_rate": RATE}, None),
        ({"path": None, "array": TONE.tolist(), "sampling_rate": RATE}, RATE),
        ({"array": TONE}, RATE),
        ({"raw": TONE, "sampling_rate": RATE}, None),  # transformers
        ({"waveform": Tensor(TONE[None]), "sample_rate": RATE}, None),
        ({"audio": {"array": TONE, "sampling_rate": RATE}, "text": "да"}, None),
        (Decoder(), None),
        (Segment(), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_samples_of_every_kind(audio: object, rate: int | None) -> None:
    np.testing.assert_allclose(heard(audio, rate), TONE, atol=1e-4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "tone.flac"
    file.write_bytes(FILE)
    return file


def in_archive(path: Path) -> zipfile.Path:
    archive = path.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("tone.flac", FILE)
    return zipfile.Path(archive, "tone.flac")


@pytest.mark.parametrize(
    "make",
    [
        str,
        Path,
        lambda path: list(os.scandir(path.parent)).pop(),
        lambda path: path.read_bytes(),
        lambda path: bytearray(path.read_bytes()),
        lambda path: memoryview(path.read_bytes()),
        lambda path: io.BytesIO(path.read_bytes()),
        lambda path: {"bytes": path.read_bytes(), "path": "tone.flac"},
        lambda path: {"bytes": None, "path": str(path)},
        in_archive,
    ],
    ids=[
        "str",
        "Path",
        "DirEntry",
        "bytes",
        "bytearray",
        "memoryview",
        "BytesIO",
        "dict",
        "dict of path",
        "zip",
    ],
)
def test_files_of_every_kind(make: Callable[[Path], object], path: Path) -> None:
    np.testing.assert_allclose(heard(make(path)), TONE, atol=1e-4)


def test_open_files_are_left_open(path: Path) -> None:
    with path.open("rb") as file, path.open("rb", buffering=0) as raw:
        for each in (file, raw):
            assert len(heard(each)) == len(TONE)
            assert not each.closed


# What can be read once


class Once(io.RawIOBase):
    """A stream that gives a few bytes at a time, and cannot go back."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        return self._file.readinto(memoryview(buffer)[:1000])


@pytest.fixture
def address() -> Iterator[str]:
    """Of a server with the file; `/cut` promises more than it sends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(FILE) + 1000 * (self.path == "/cut")))
            self.end_headers()
            self.wfile.write(FILE)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_http_response_is_heard(address: str) -> None:
    with urlopen(f"{address}/tone.flac") as response:
        np.testing.assert_allclose(heard(response), TONE, atol=1e-4)


def test_an_http_response_that_is_cut_is_refused(address: str) -> None:
    with urlopen(f"{address}/cut") as response, pytest.raises(AudioError, match=r"fetch it again|to its end"):
        heard(response)


def test_an_address_is_not_fetched(address: str) -> None:
    with pytest.raises(AudioError, match=r"address, which is not fetched; give urllib\.request\.urlopen"):
        heard(f"{address}/tone.flac")


def test_a_pipe_is_heard() -> None:
    reading, writing = os.pipe()
    thread = threading.Thread(target=lambda: (os.write(writing, FILE), os.close(writing)))
    thread.start()
    with os.fdopen(reading, "rb") as pipe:
        assert len(heard(pipe)) == len(TONE)
    thread.join()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_heard(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    thread = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(FILE))
    thread.start()
    assert len(heard(tmp_path / "pipe")) == len(TONE)
    thread.join()


def test_a_socket_is_heard() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(FILE)
        theirs.shutdown(socket.SHUT_WR)
        assert len(heard(ours)) == len(TONE)


def test_a_stream_that_gives_little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "_IN_MEMORY_BYTES", 2000)  # the rest goes to the disk
    recording = given(Once(FILE))
    assert recording.source.read() == FILE
    assert recording.source._rolled
    recording.close()
    assert recording.source.closed


def test_a_response_that_gives_all_at_once() -> None:
    assert len(heard(SimpleNamespace(read=lambda: FILE))) == len(TONE)


def test_what_was_kept_is_closed_behind_the_last_part(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    real = spooling.tempfile.SpooledTemporaryFile
    monkeypatch.setattr(
        spooling.tempfile, "SpooledTemporaryFile", lambda size: kept.append(real(size)) or kept[-1]
    )
    engine.transcribe(Once(FILE))
    engine.transcribe_batch([Once(FILE), Once(by_soundfile(np.zeros(40 * RATE, np.float32), RATE, "FLAC"))])
    assert [file.closed for file in kept] == [True] * 3
    with pytest.raises(AudioError):
        engine.transcribe(Once(b"this is no audio"))
    assert kept[3].closed


# What is refused


@pytest.mark.parametrize(
    ("audio", "rate", "complaint"),
    [
        (None, None, r"^None is no audio; give a path"),
        (5, None, "type int 5 is no audio"),
        (object(), None, "type object is no audio"),
        (["a.wav", "b.wav"], None, r"list of 2 \(str first\).*transcribe_batch"),
        ([Path("a.wav")], None, "transcribe_batch"),
        ([b"RIFF"], None, "transcribe_batch"),
        ([TONE, TONE], RATE, r"list of 2 \(ndarray first\).*a row a channel"),
        (np.array(["a.wav"]), RATE, r"dtype <U5 is no samples.*transcribe_batch"),
        (np.array([TONE, TONE[:5]], dtype=object), RATE, "dtype object"),
        ([], RATE, "empty list"),
        ((), None, "empty tuple"),
        ([0, 120, -300], RATE, r"np\.array\(samples, dtype=np\.int16\)"),
        ([[0.1, 0.2], [0.1]], RATE, "cannot be made an array"),
        (OnAnAccelerator(), RATE, r"tensor\.detach\(\)\.cpu\(\)\.numpy\(\)"),
        (TONE, None, "pass sample_rate"),
        (TONE, "16000", "a sample rate of '16000'; give a whole number of Hz"),
        (TONE, 16_000.5, "a sample rate of 16000.5; give a whole number"),
        (TONE, float("nan"), "a sample rate of nan; give a whole number"),
        (np.zeros((100, 100), np.float32), RATE, r"100 channels.*\(n_channels, n_samples\)"),
        (np.zeros((2, 2, 2), np.float32), RATE, "reshape it"),
        (FILE, RATE, "leave it out"),
        ({"array": TONE, "sampling_rate": RATE}, 8000, "sample_rate=8000 was given with samples that say"),
        ({"array": TONE, "sampling_rate": "16 kHz"}, None, "'16 kHz'; give a whole number of Hz"),
        ({"array": TONE, "sampling_rate": float("nan")}, None, "give a whole number of Hz"),
        ({"array": TONE}, None, "pass sample_rate"),
        ({"bytes": None, "path": None}, None, r"'bytes', 'path'; give one with 'array'"),
        ({}, None, "the keys none"),
        ((text for text in ("a", "b")), None, r"generator.*join\(pieces\).*transcribe_batch.*Engine\.stream"),
        (io.StringIO("RIFF"), None, r'as text; open it as binary: open\(path, "rb"\)'),
        ("x" * 5000, None, "5,000 characters is no path"),
        ("https://example.com/a.wav", None, "address, which is not fetched"),
        ({"audio": {"audio": {"array": TONE}}}, RATE, "the keys 'audio'"),
        (SimpleNamespace(read=lambda size: "text"), None, "gives text; open it as binary"),
        (SimpleNamespace(read=lambda size: None), None, "nothing to read now"),
        (SimpleNamespace(read=lambda size: 5), None, "gives int instead of bytes"),
        (Once(b""), None, "no bytes"),
    ],
    ids=lambda value: str(value).partition(" at 0x")[0][:30],  # the same in every process
)
def test_what_is_no_recording_says_what_to_give(audio: object, rate: int | None, complaint: str) -> None:
    with pytest.raises(AudioError, match=complaint):
        heard(audio, rate)


def test_files_that_are_open_in_another_way(path: Path) -> None:
    with (
        path.open(encoding="latin-1") as text,
        pytest.raises(AudioError, match=r"tone\.flac' is open as text"),
    ):
        heard(text)
    with path.open("rb") as closed:
        pass
    with pytest.raises(AudioError, match=r"tone\.flac' is closed"):
        heard(closed)
    with path.open("ab") as written, pytest.raises(AudioError, match="open for writing"):
        heard(written)


def test_a_file_of_samples_is_no_file_of_bytes(path: Path) -> None:
    with soundfile.SoundFile(path) as sound, pytest.raises(AudioError, match="ndarray instead of bytes"):
        heard(sound)


def test_a_response_of_requests_is_heard() -> None:
    assert len(heard(SimpleNamespace(content=FILE, iter_content=iter))) == len(TONE)


def test_a_stream_that_breaks_off_says_so() -> None:
    def read(size: int) -> bytes:
        raise ConnectionResetError("Connection reset by peer")

    with pytest.raises(AudioError, match=r"to its end \(Connection reset by peer\)"):
        heard(SimpleNamespace(read=read))


def test_what_is_read_by_await_says_so() -> None:
    async def main() -> None:
        reader = asyncio.StreamReader()
        with pytest.raises(AudioError, match="give the bytes: await"):
            heard(reader)

    asyncio.run(main())


# Several


def test_a_batch_takes_an_iterator(engine: Engine, clips: list) -> None:
    taken = []

    def recordings() -> Iterator[object]:
        for clip in clips[:3]:
            taken.append(clip)
            yield {"array": clip.waveform, "sampling_rate": RATE}

    found = engine.transcribe_batch(recordings())
    assert [each.text for each in found] == [engine.transcribe(clip.path).text for clip in clips[:3]]
    assert len(taken) == 3
    assert engine.transcribe_batch(iter([])) == []


def test_an_iterator_is_not_held_as_waveforms(engine: Engine) -> None:
    held = 0

    class Clip(Once):
        def __del__(self) -> None:
            nonlocal held
            held -= 1

    def recordings() -> Iterator[object]:
        nonlocal held
        for _ in range(40):
            held += 1
            yield Clip(FILE)
            assert held < 5

    assert len(engine.transcribe_batch(recordings(), batch_size=1)) == 40


def test_errors_are_returned_in_their_place(engine: Engine, clips: list) -> None:
    given_ = [clips[0].path, "nowhere.wav", None, clips[1].path, b"no audio"]
    found = engine.transcribe_batch(given_, errors="return")
    assert [found[i].text for i in (0, 3)] == [engine.transcribe(clips[i].path).text for i in (0, 1)]
    for i, complaint in ((1, "no file 'nowhere.wav'"), (2, "None is no audio"), (4, "not a known audio")):
        assert isinstance(found[i], AudioError)
        assert str(found[i]).startswith(f"recording {i} of 5: ")
        assert complaint in str(found[i])
    with pytest.raises(AudioError, match="recording 1 of 5"):
        engine.transcribe_batch(given_)
    with pytest.raises(AudioError, match=r"^recording 1: "):
        engine.transcribe_batch(iter(given_))
    with pytest.raises(ValueError, match="errors is 'ignore'"):
        engine.transcribe_batch([], errors="ignore")


@pytest.mark.parametrize(
    "audios", ["a.wav", b"RIFF", {"array": TONE, "sampling_rate": RATE}, io.BytesIO(FILE), None, 5, Path("a")]
)
def test_one_recording_is_no_batch(engine: Engine, audios: object) -> None:
    with pytest.raises(AudioError, match="transcribe_batch takes several"):
        engine.transcribe_batch(audios)


def test_a_batch_shows_its_progress(engine: Engine, clips: list, capsys: pytest.CaptureFixture[str]) -> None:
    engine.transcribe_batch([clips[0].path], progress=True)
    assert "transcribing: 100%" in capsys.readouterr().err
    engine.transcribe_batch([clips[0].path])
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "source",
    [
        np.zeros(9),
        [0.1],
        None,
        5,
        {"array": np.zeros(9), "sampling_rate": 8_000},
        iter([b"x"]),
        io.StringIO("x"),
    ],
    ids=["array", "list", "none", "number", "dict", "iterator", "text"],
)
def test_decode_audio_says_what_is_no_file_and_where_it_belongs(source) -> None:
    for read in (decode_audio, audio_blocks):
        with pytest.raises(AudioError, match=rf"type {type(source).__name__} is no file.*from_array"):
            read(source)


def test_from_array_says_that_channels_are_rows() -> None:
    with pytest.raises(AudioError, match=r"16000 channels of 2 samples.*samples\.T"):
        from_array(np.zeros((16_000, 2)), 16_000)
