"""Kinds of systems: one file makes one, in this package or another; and what its process imports."""

import json
import subprocess
import sys

import pytest

from evaluation.cli import main as cli
from evaluation.speed_study.contestants import peer_contestants
from evaluation.speed_study.process import Worker
from evaluation.systems.availability import peers_here, require_available
from evaluation.systems.base import SystemUnavailableError
from evaluation.systems.kinds import distributions, kind_names, kind_of, peer_names
from evaluation.systems.registry import SystemSpec, on_disk, peer_spec
from evaluation.systems.timed import Conditions
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY, DEMO_DIRECTORY

PARROT = """
from importlib.metadata import version

from evaluation.systems.base import Outcome
from evaluation.systems.kinds import Package, SystemKind
from evaluation.systems.timed import Contestant, Timed, transcribing


def load(spec, /, *, show_progress):
    from evaluation.systems.peers import FileSystem  # it decodes: not for the process that is timed

    info = {"kind": "parrot", "package_version": version("parrot-asr")}
    phrase = spec.options.get("phrase", "салют")
    return FileSystem(
        spec.name, info, transcribe=lambda path: phrase, outcome=lambda text: Outcome(hypothesis=text)
    )


def timed(spec):
    return Timed(transcribing(lambda path: "салют", None), version("parrot-asr"))


def contestants(conditions):
    return [
        Contestant(
            label="parrot", kind="parrot", directory=conditions.directory, precision="fp32",
            threads=conditions.threads, note="threads: its own choice",
        )
    ]


KIND = SystemKind(
    name="parrot",
    load=load,
    package=Package("parrot", "parrot-asr"),
    options=("phrase",),
    has_model=False,
    timed=timed,
    contestants=contestants,
)
"""


def install(folder, distribution, kind, place, source):
    """A package as pip leaves it: a module, and what its metadata say of it."""
    (folder / f"{place.partition(':')[0]}.py").write_text(source, encoding="utf-8")
    metadata = folder / f"{distribution.replace('-', '_')}-1.5.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
    (metadata / "entry_points.txt").write_text(f"[gigastt_lab.systems]\n{kind} = {place}\n")


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder that this process, and those that it starts, import from."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    yield folder
    for name in ("parrot", "broken"):
        sys.modules.pop(name, None)


@pytest.fixture
def parrot(packages):
    install(packages, "parrot-asr", "parrot", "parrot:KIND", PARROT)


@pytest.mark.usefixtures("parrot", "logging_as_it_was")
def test_one_file_of_another_package_is_run_scored_and_listed(tmp_path, capsys):
    arguments = ("--peers-only", "--peer", "parrot,phrase=да", "--dataset", "demo", "--limit", "3")
    assert cli.main(["run", *arguments, "--out", str(tmp_path / "out"), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    [row], [header] = content["systems"], content["headers"]
    assert (row["system"], row["n_utterances"]) == ("parrot_phrase-да", 3)
    assert row["wer"] > 0.5
    info = header["system_info"]
    assert info["asked"] == {"kind": "parrot", "options": {"phrase": "да"}}
    assert (info["package_version"], info["warm_up"], info["batch_size"]) == ("1.5", "1 x 2.8 s", 1)
    [path] = (tmp_path / "out").glob("*.jsonl")
    assert path.name == "parrot_phrase-да.jsonl"
    assert cli.main(["run", *arguments, "--out", str(tmp_path / "out")]) == 0  # of a finished file, nothing
    capsys.readouterr()
    assert cli.main(["systems"]) == 0
    assert "peer      parrot: installed\n" in capsys.readouterr().out
    assert "parrot" in peer_names()
    assert "parrot-asr" in distributions()


@pytest.mark.usefixtures("parrot")
def test_one_file_of_another_package_is_timed(tmp_path):
    conditions = Conditions(model="demo", directory=DEMO_DIRECTORY, threads=1, folder=tmp_path / "links")
    contestant = peer_contestants(conditions)[-1]
    assert (contestant.label, contestant.missing) == ("parrot", None)
    clip = str(min(DEMO_CLIPS_DIRECTORY.glob("*.flac")))
    with Worker(contestant.spec, tmp_path / "log") as worker:
        assert worker.ask("load")["version"] == "1.5"
        assert worker.ask("transcribe", path=clip)["text"] == "салют"


@pytest.mark.usefixtures("parrot")
def test_its_options_are_checked():
    assert peer_spec("parrot", {"model": "demo", "threads": 2}) == SystemSpec(kind="parrot")
    with pytest.raises(ValueError, match="parrot takes no option 'colour'; it takes phrase"):
        peer_spec("parrot,colour=red", {})


def test_what_it_needs_has_to_be_installed(packages):
    source = PARROT.replace('Package("parrot",', 'Package("no_such_module",')
    install(packages, "parrot-asr", "parrot", "parrot:KIND", source)
    assert peers_here()["parrot"] == "pip install parrot-asr"
    with pytest.raises(SystemUnavailableError, match="parrot is not installed: pip install parrot-asr"):
        require_available(SystemSpec(kind="parrot"))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_the_kind\n", "nothing_of_the_kind"),
        ("KIND = 'parrot'\n", "no SystemKind of that name"),
        (PARROT, "no SystemKind of that name"),
    ],
)
@pytest.mark.usefixtures("logging_as_it_was")
def test_a_broken_package_is_named_where_it_is_asked_for(packages, tmp_path, capsys, source, reason):
    install(packages, "broken-asr", "broken", "broken:KIND", source)
    assert cli.main(["systems"]) == 0
    listed = capsys.readouterr().out
    assert "peer      broken: unavailable: broken-asr offers the system broken" in listed
    assert reason in listed
    assert cli.main(["systems", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["peers"]["broken"] is False
    ask = ("--peers-only", "--dataset", "demo", "--out", str(tmp_path))
    assert cli.main(["run", *ask, "--peer", "broken"]) == 1
    assert "broken-asr offers the system broken" in capsys.readouterr().err
    assert SystemSpec(model="demo").name == "gigaam-demo_b8"  # the others do without it
    conditions = Conditions(model="demo", directory=DEMO_DIRECTORY, threads=1, folder=tmp_path / "links")
    assert "broken-asr offers" in peer_contestants(conditions)[-1].missing


def test_kinds_come_in_a_fixed_order_and_have_all_they_need():
    names = ["engine", "onnx-asr", "gigastt", "kairos-asr", "server"]
    assert kind_names() == names
    assert [kind_of(name).name for name in names] == names
    assert peer_names() == ["onnx-asr", "gigastt", "kairos-asr"]
    assert [name for name in names if kind_of(name).timed is None] == ["server"]
    with pytest.raises(ValueError, match="give onnx-asr, gigastt, kairos-asr, or the URL of a server"):
        peer_spec("engine", {})


def test_what_peers_ask_for_is_as_the_first_engine_where_they_can_be_told():
    first = {"model": "demo", "model_dir": None, "provider": "cpu", "threads": 2, "batch_size": 4}
    assert peer_spec("onnx-asr", first).name == "onnx-asr_gigaam-demo_fp32_cpu_t2_b4"
    assert peer_spec("onnx-asr,precision=int8", first).precision == "int8"
    assert peer_spec("gigastt", first) == SystemSpec(kind="gigastt", model="demo")
    assert peer_spec("kairos-asr", first).name == "kairos-asr_gigaam-demo"
    server = peer_spec("http://localhost:1,route=openai,timeout_s=3", first)
    assert server.options == {"url": "http://localhost:1", "route": "openai", "timeout_s": 3.0}
    assert on_disk(server, {}) == {}
    with pytest.raises(ValueError, match="could not convert"):
        peer_spec("http://localhost:1,timeout_s=long", first)


STUBS = {
    "onnx-asr": (
        "onnx_asr",
        "def load_model(*_, **__):\n    class Model:\n        recognize = None\n    return Model",
    ),
    "gigastt": ("gigastt_uniffi", "class Engine:\n    new_with_pool_size = print"),
    "kairos-asr": ("kairos_asr", "class KairosASR:\n    def __init__(self, **_): pass"),
}
# What a contestant's process may hold of this project beside what `import evaluation` brings: small modules.
LIGHT = {
    "evaluation.records", "evaluation.records.naming", "evaluation.speed_study", "evaluation.systems",
    *(f"evaluation.systems.{name}" for name in ("base", "kinds", "timed")),
    *(f"evaluation.speed_study.{name}" for name in ("runners", "worker")),
    *(f"gigastt_lab.{name}" for name in ("errors", "lazy", "moved")),
    *(f"gigastt_lab.models{name}" for name in ("", ".files", ".registry")),
}  # fmt: skip
LOADED = """
import json, sys
import evaluation
before = {*sys.modules}
from evaluation.speed_study import runners, worker
spec = {"kind": sys.argv[1], "directory": "", "precision": "fp32", "threads": 64}
runners.load(spec)
print(json.dumps(sorted({*sys.modules} - before)))
"""


@pytest.mark.parametrize("kind", STUBS)
def test_no_peers_process_holds_what_another_one_needs(kind, tmp_path, monkeypatch):
    module, source = STUBS[kind]
    (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
    (tmp_path / "hub" / "snakers4_silero-vad_master").mkdir(parents=True)
    (tmp_path / "ffmpeg").touch(mode=0o755)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, kind], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    held = set(json.loads(ran.stdout.splitlines()[-1]))
    its = {f"evaluation.systems.{kind.replace('-', '_')}"}
    assert {name for name in held if name.startswith(("evaluation", "gigastt_lab"))} - LIGHT == its
    assert ("onnxruntime" in held) == (kind == "onnx-asr")
