"""Peers that are packages: onnx-asr as it is, gigastt by what its wheel has, and as it is where it runs."""

import importlib.machinery
import os
import sys
import types
import warnings
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from evaluation.systems import peers
from evaluation.systems.availability import require_available
from evaluation.systems.base import Outcome, SystemUnavailableError
from evaluation.systems.files import file_hashes
from evaluation.systems.kinds import Package, kind_of
from evaluation.systems.peers import suffix_of
from evaluation.systems.registry import SystemSpec, load_system, on_disk
from gigastt_lab.errors import ModelError
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.registry import DEMO_DIRECTORY
from tests.support.interchange import MANIFEST, links


def test_onnx_asr_gives_what_the_engine_gives(clips):
    pytest.importorskip("onnx_asr", reason="onnx-asr is not installed: pip install onnx-asr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the other package
        peer = load_system(
            SystemSpec(kind="onnx-asr", model="demo", provider="cpu", threads=1, batch_size=4),
            show_progress=False,
        )
        inputs = [b"garbage", *(clip.path for clip in clips[:3])]
        garbage, *outcomes = peer.transcribe(inputs)
    system = load_system(
        SystemSpec(model="demo", precision="fp32", provider="cpu", threads=1, batch_size=4),
        show_progress=False,
    )
    assert peer.name == "onnx-asr_gigaam-demo_fp32_cpu_t1_b4"
    assert peer.info["files"] == system.info["files"]
    assert (peer.info["provider"], peer.info["warm_up"]) == ("cpu", "2 x 2.8 s")
    assert garbage.error.startswith("AudioError")
    for outcome, ours in zip(outcomes, system.transcribe(inputs[1:]), strict=True):
        assert outcome.hypothesis == ours.hypothesis
        assert [word[:3] for word in outcome.words] == [word[:3] for word in ours.words]
        np.testing.assert_allclose([w[3] for w in outcome.words], [w[3] for w in ours.words], atol=0.01)
        assert (outcome.audio_s, outcome.encoder_s) == (ours.audio_s, None)
        assert outcome.work_s > outcome.decode_s > 0
        assert outcome.n_tokens > 5


def fake_onnx_asr(monkeypatch, **sessions):
    """The package, whose model holds these sessions."""
    adapter = types.SimpleNamespace(asr=types.SimpleNamespace(**sessions), with_timestamps=lambda: None)
    package = types.SimpleNamespace(load_model=lambda *_, **__: adapter)
    monkeypatch.setitem(sys.modules, "onnx_asr", package)
    monkeypatch.setattr("evaluation.systems.onnx_asr.importlib.metadata.version", lambda name: "0")
    monkeypatch.setattr("gigastt_lab.runtime.sessions.available_providers", lambda: ("cuda", "cpu"))
    spec = SystemSpec(kind="onnx-asr", model="demo", threads=1, batch_size=1)
    return kind_of("onnx-asr").load(spec, show_progress=False)


def test_onnx_asr_tells_the_provider_that_it_really_took(monkeypatch, caplog):
    session = types.SimpleNamespace(get_providers=lambda: ["CPUExecutionProvider"])
    fallen_back = fake_onnx_asr(monkeypatch, _encoder=session)
    assert (fallen_back.info["provider"], fallen_back.name) == ("cpu", "onnx-asr_gigaam-demo_fp32_cpu_t1_b1")
    assert "was asked for cuda, and runs on cpu" in caplog.text
    assert fake_onnx_asr(monkeypatch).info["provider"] == "unknown-provider"


def test_onnx_asr_without_its_files_says_so():
    pytest.importorskip("onnx_asr", reason="onnx-asr is not installed: pip install onnx-asr")
    with pytest.raises(SystemUnavailableError, match=r"onnx-asr cannot load .* in int8 on cpu: "):
        load_system(SystemSpec(kind="onnx-asr", model="demo", precision="int8", provider="cpu"))


class FakeEngine:
    """The wheel's engine, as far as it is used."""

    made: ClassVar = []

    def __init__(self, directory, pool_size):
        self.directory, self.pool_size, self.paths = directory, pool_size, []

    @classmethod
    def new_with_pool_size(cls, directory, pool_size):
        cls.made.append(cls(directory, pool_size))
        return cls.made[-1]

    def transcribe_file(self, path):
        self.paths.append(path)
        with open(path, "rb") as file:
            if file.read(4) == b"garb":
                raise RuntimeError("Audio: unsupported")
        word = types.SimpleNamespace(text="Салют,", start_s=0.04, end_s=0.44, confidence=0.98765)
        return types.SimpleNamespace(text="Салют, включи.", words=[word], duration_s=2.8)


@pytest.fixture
def fake_gigastt(monkeypatch):
    monkeypatch.setitem(sys.modules, "gigastt_uniffi", types.SimpleNamespace(Engine=FakeEngine))


@pytest.mark.usefixtures("fake_gigastt")
def test_gigastt_is_adapted(clips):
    system = load_system(SystemSpec(kind="gigastt", model="demo"), show_progress=False)
    path = clips[0].path
    outcomes = system.transcribe([path, path.read_bytes(), b"garbage"])
    assert (system.name, system.batch_size, system.info["warm_up"]) == ("gigastt_gigaam-demo", 1, "1 x 2.8 s")
    engine = FakeEngine.made[-1]
    assert (engine.directory, engine.pool_size) == (str(DEMO_DIRECTORY), 1)
    assert [item.rsplit(".")[-1] for item in engine.paths] == ["wav", "flac", "flac", "wav"]
    assert engine.paths[1] == str(path)
    assert outcomes[0].hypothesis == outcomes[1].hypothesis == "Салют, включи."
    assert outcomes[0].words == (("Салют,", 0.04, 0.44, 0.9877),)
    assert outcomes[0].audio_s == len(clips[0].waveform) / 16_000
    assert outcomes[2] == Outcome(error="RuntimeError: Audio: unsupported")


def test_gigastt_for_real(tmp_path, clips):
    """It takes models of the real size only: the first that GIGASTT_TEST_MODEL_DIRS names."""
    try:
        import gigastt_uniffi  # noqa: F401
    except (ImportError, OSError, AttributeError) as error:
        pytest.skip(f"gigastt's wheel does not run here ({error}): pip install gigastt, glibc 2.38")
    given = [path for path in os.environ.get("GIGASTT_TEST_MODEL_DIRS", "").split(os.pathsep) if path]
    if not given:
        pytest.skip("GIGASTT_TEST_MODEL_DIRS names no model of the real size")
    layout = {f"other_{path.name.split('rnnt_')[-1]}": path.name for path in Path(given[0]).glob("v3_*")}
    directory = links(Path(given[0]), tmp_path / "model", layout)
    (directory / "manifest.toml").write_text(MANIFEST)
    system = load_system(SystemSpec(kind="gigastt", model_dir=directory), show_progress=False)
    assert {"manifest.toml", "other_encoder.onnx"} <= system.info["files"].keys()
    good, also_good, bad = system.transcribe([clips[0].path, clips[1].path.read_bytes(), b"garbage"])
    assert (good.error, also_good.error) == (None, None)
    assert good.hypothesis == " ".join(word[0] for word in good.words)
    assert "InvalidAudio" in bad.error


def test_a_package_that_is_not_there_is_named_with_its_command(monkeypatch):
    with pytest.raises(SystemUnavailableError, match="pip install no-such"):
        peers.imported(Package("no_such_module", "no-such"))

    def old_glibc(module):
        raise OSError("/lib/libc.so.6: version `GLIBC_2.38' not found")

    monkeypatch.setattr(peers.importlib, "import_module", old_glibc)
    with pytest.raises(SystemUnavailableError, match=r"installed, and cannot be imported .*glibc 2\.38"):
        load_system(SystemSpec(kind="gigastt", model="demo"))


def test_suffixes_come_from_the_content(clips):
    assert suffix_of(clips[0].path.read_bytes()) == ".flac"
    assert suffix_of(b"RIFF\0\0\0\0WAVEfmt ") == ".wav"
    assert suffix_of(b"\0\0\0\x20ftypM4A ") == ".m4a"


class FakeKairos:
    """kairos-asr's class, as far as it is used."""

    made: ClassVar = []

    def __init__(self, *, model_path, device):
        self.files = {path.name: path.resolve() for path in Path(model_path).iterdir()}
        self.device, self.paths = device, []
        FakeKairos.made.append(self)

    def transcribe(self, wav_file):
        self.paths.append(wav_file)
        if Path(wav_file).read_bytes()[:4] == b"garb":
            raise RuntimeError("Failed to load audio")
        word = types.SimpleNamespace(text="Салют,", start=0.04, end=0.44)
        return types.SimpleNamespace(full_text="Салют, включи.", words=[word], sentences=[])


@pytest.fixture
def fake_kairos(monkeypatch, tmp_path):
    """The package, the code that it fetches, and ffmpeg; returns the folder of the latter two."""
    monkeypatch.setitem(sys.modules, "kairos_asr", module_of("kairos_asr", KairosASR=FakeKairos))
    monkeypatch.setattr("evaluation.systems.kairos_asr._sentencepiece_of", lambda vocabulary: b"pieces")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "hub" / "snakers4_silero-vad_master").mkdir(parents=True)
    (tmp_path / "ffmpeg").touch(mode=0o755)
    return tmp_path


def module_of(name, **content):
    """A module that can be found, as `importlib.util.find_spec` wants it."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    vars(module).update(content)
    return module


@pytest.mark.usefixtures("fake_kairos")
def test_kairos_asr_is_adapted(clips):
    spec = SystemSpec(kind="kairos-asr", model="demo")
    require_available(spec)
    system = load_system(spec, show_progress=False)
    model = FakeKairos.made[-1]
    assert (spec.name, system.name, system.batch_size) == (*["kairos-asr_gigaam-demo"] * 2, 1)
    assert model.device == "cpu"
    names = ("encoder.onnx", "decoder.onnx", "joint.onnx", "tokenizer.model")
    assert model.files.keys() == {f"kairos_asr_{name}" for name in names}
    fp32 = ModelFiles.find(DEMO_DIRECTORY, "fp32")
    assert model.files["kairos_asr_encoder.onnx"] == fp32.encoder.resolve()
    assert system.info["files"] == file_hashes(fp32)
    assert system.info["files"] == on_disk(spec, system.info)["files"]
    assert (system.info["precision"], system.info["provider"]) == ("fp32", "cpu")
    good, bytes_too, bad = system.transcribe([clips[0].path, clips[0].path.read_bytes(), b"garbage"])
    assert good.hypothesis == bytes_too.hypothesis == "Салют, включи."
    assert good.words == ()  # it tells no confidence
    assert good.audio_s == len(clips[0].waveform) / 16_000
    assert good.work_s > 0
    assert bad == Outcome(error="RuntimeError: Failed to load audio")


@pytest.mark.parametrize(
    ("gone", "reason"), [("hub", "silero-vad from GitHub"), ("ffmpeg", "program ffmpeg, which is not")]
)
def test_kairos_asr_is_refused_where_it_would_fetch_code_or_cannot_read(fake_kairos, gone, reason):
    (fake_kairos / gone).rename(fake_kairos / "elsewhere")
    spec = SystemSpec(kind="kairos-asr", model="demo")
    for refused in (require_available, load_system):
        with pytest.raises(SystemUnavailableError, match=f"kairos-asr cannot start: .*{reason}"):
            refused(spec)


def test_kairos_asr_takes_no_other_weights_than_those_asked_for(fake_kairos, tmp_path):
    directory = links(DEMO_DIRECTORY, tmp_path / "model", {"v3_e2e_rnnt_vocab.txt": "v3_e2e_rnnt_vocab.txt"})
    n_made = len(FakeKairos.made)
    with pytest.raises(ModelError):
        load_system(SystemSpec(kind="kairos-asr", model="demo", model_dir=directory), show_progress=False)
    assert len(FakeKairos.made) == n_made


def test_kairos_asr_needs_a_tokenizer(fake_kairos, monkeypatch):
    def cannot(vocabulary):
        raise ImportError("No module named 'sentencepiece'")

    monkeypatch.setattr("evaluation.systems.kairos_asr._sentencepiece_of", cannot)
    with pytest.raises(SystemUnavailableError, match=r"kairos-asr cannot load .*sentencepiece"):
        load_system(SystemSpec(kind="kairos-asr", model="demo"), show_progress=False)
