"""Output of every command on the demo model, of two checkouts: equal byte for byte, times aside.

    python scripts/compare_outputs.py OLD NEW

runs each command in both, by this interpreter, and compares exit codes, stdout, stderr and files that were
written. For a change that is to move code and change nothing. The processes' clock, `time.perf_counter`,
advances by a millisecond a call, so that times come out alike wherever the same work is timed; where work is
timed on several threads or in processes of its own, every number is masked. Paths of modules are masked too.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

# Put before everything else that a process imports.
CLOCK = """
import itertools, time
_ticks = itertools.count(1)
time.perf_counter = lambda: next(_ticks) * 1e-3
time.perf_counter_ns = lambda: next(_ticks) * 1_000_000
"""
CLIPS = "gigastt_lab/demo/clips"
CLIP = f"{CLIPS}/clip_00_assistant_espeak-ng.flac"

# A command a line: name, program, arguments, "< FILE" for stdin. OUT is a folder of its own, IN one of inputs; a
# name with a star writes times and sizes of processes: its numbers are masked.
_TABLE = f"""
help: gigastt_lab --help
no-command: gigastt_lab
help-eval: gigastt_lab.eval --help
transcribe: gigastt_lab transcribe --model demo --precision fp32 {CLIP} {CLIPS}/nowhere.flac
transcribe-stream: gigastt_lab transcribe --model demo --precision fp32 --stream --partials --format json - < IN/clip.raw
models: gigastt_lab models --verify --json
models-text: gigastt_lab models
quantize-matmul: gigastt_lab quantize --model demo --model-dir OUT/model --recipe matmul --force --no-report
quantize-gate: gigastt_lab quantize --model demo --model-dir OUT/model --recipe gate --force --no-report
quantize-linear: gigastt_lab quantize --model demo --model-dir OUT/model --recipe linear --force --no-report
quantize-report*: gigastt_lab quantize --model demo --model-dir OUT/model --force --no-calibration
study: gigastt_lab.eval --model demo --dataset demo --out OUT/runs
run-json: gigastt_lab.eval run --json --model demo --dataset demo --sample 7 --seed 3 --precision int8 --out OUT/runs
run-wrong: gigastt_lab.eval run --dataset demo --batch-size 0
run-no-peer: gigastt_lab.eval run --dataset demo --model demo --peer onnx-asr --peers-only --out OUT/runs
score: gigastt_lab.eval score --details FP32
score-json: gigastt_lab.eval score --json --details --blocks utterance --seed 1 INT8
score-nothing: gigastt_lab.eval score OUT/nothing.jsonl
compare: gigastt_lab.eval compare --profile verbatim FP32 INT8
compare-json: gigastt_lab.eval compare --json FP32 INT8
report: gigastt_lab.eval report --out OUT/report INT8
import: gigastt_lab.eval import IN/other.csv --system other --out OUT/runs
datasets: gigastt_lab.eval datasets --dataset demo --limit 3
datasets-json: gigastt_lab.eval datasets --json
systems: gigastt_lab.eval systems
systems-json: gigastt_lab.eval systems --json
stream: gigastt_lab.eval stream --model demo --dataset demo --limit 4 --preset low-latency,balanced --clock ideal --out OUT/r
stream-json: gigastt_lab.eval stream --json --model demo --dataset demo --limit 2 --clock ideal --out OUT/runs
speed*: gigastt_lab.eval speed --lengths 2 --rounds 1 --no-peers --out OUT/speed
server*: gigastt_lab.eval server --clients 1 --seconds 1 --pool-sizes 1 --out OUT/server
""".replace("FP32", "IN/study/runs/gigaam-demo_fp32_b8.jsonl").replace(
    "INT8", "IN/study/runs/gigaam-demo_int8_b8.jsonl"
)


@dataclass(frozen=True)
class Command:
    """A command: arguments of the interpreter, a file for stdin, and whether its numbers are masked."""

    arguments: tuple[str, ...]
    stdin: str | None = None
    timed: bool = False


def _commands() -> dict[str, Command]:
    found = {}
    for line in _TABLE.strip().splitlines():
        name, _, rest = line.partition(": ")
        words, _, stdin = rest.partition(" < ")
        found[name.rstrip("*")] = Command(("-m", *words.split()), stdin or None, name.endswith("*"))
    for program, names in (
        ("gigastt_lab", "transcribe download quantize models serve"),
        ("gigastt_lab.eval", "run stream server speed score compare report import datasets systems"),
    ):
        for name in names.split():
            found[f"help-{program}-{name}"] = Command(("-m", program, name, "--help"))
    for form in ("txt", "json", "srt", "vtt", "md"):
        words = f"transcribe --model demo --precision int8 --format {form} --output OUT {CLIP}"
        found[f"transcribe-{form}"] = Command(("-m", "gigastt_lab", *words.split()))
    return found


COMMANDS = _commands()

# Requests to one server of the demo model: name, method and path, file of the body.
REQUESTS = (
    ("health", "/health", None),
    ("ready", "/ready", None),
    ("models", "/v1/models", None),
    ("page", "/", None),
    ("openapi", "/openapi.json", None),
    ("nowhere", "/nowhere", None),
    *(
        (f"transcribe-{form}", f"/v1/transcribe?format={form}", CLIP)
        for form in ("json", "txt", "srt", "vtt", "md")
    ),
    ("transcribe-stream", "/v1/transcribe/stream", CLIP),
    ("no-audio", "/v1/transcribe", "README.md"),
)

_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "DATE"),
    (re.compile(r"\b(gigastt_lab|evaluation)(\.[a-z_0-9]+)+"), r"\1.MODULE"),
    (re.compile(r"python -m \S+"), "python -m MODULE"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r'("?(uptime|created|started|time)[a-z_]*"?[:=] *)[0-9.]+'), r"\1TIME"),
)
_NUMBER = re.compile(r"\d+(\.\d+)?(e-?\d+)?")
_BLANKS = re.compile(r"[ \-─=|:]+")


def main() -> int:
    """Compare two checkouts; 1 where anything differs, which is printed as a diff."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--only", default="", help="commands whose name contains this")
    parser.add_argument("--keep", type=Path, help="a folder for what was found")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        old, new = (
            outputs(tree.resolve(), folder / name, options.only)
            for tree, name in ((options.old, "old"), (options.new, "new"))
        )
    wrong = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    for name in wrong:
        lines = difflib.unified_diff(
            old.get(name, "").splitlines(),
            new.get(name, "").splitlines(),
            f"old/{name}",
            f"new/{name}",
            lineterm="",
        )
        sys.stdout.write("\n".join([*lines][:60]) + "\n")
    sys.stdout.write(f"{len(old)} outputs, {len(wrong)} differ\n")
    return 1 if wrong else 0


def outputs(tree: Path, folder: Path, only: str) -> dict[str, str]:
    """What each command of a checkout says and writes: name to text, masked."""
    (folder / "clock").mkdir(parents=True, exist_ok=True)
    (folder / "clock" / "sitecustomize.py").write_text(CLOCK)
    _inputs(tree, folder)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIGASTT", "HF_"))
    } | {
        "PYTHONPATH": f"{folder / 'clock'}:{tree}",
        "GIGASTT_LAB_CACHE": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
        "COLUMNS": "100",
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "PYTHONHASHSEED": "0",
    }
    found: dict[str, str] = {}
    for name, command in COMMANDS.items():
        if only in name or (only and name == "study"):
            sys.stderr.write(f"{tree.name}: {name}\n")
            found |= _of_command(name, command, tree, folder, environment)
    if only in "serve":
        found |= _of_server(tree, folder, environment)
    return found


def _inputs(tree: Path, folder: Path) -> None:
    import soundfile

    samples, _ = soundfile.read(tree / CLIP, dtype="int16")
    (folder / "clip.raw").write_bytes(samples.tobytes())
    (folder / "other.csv").write_text(
        "id,reference,hypothesis\n1,привет мир,привет мир\n2,раз два,раз\n3,три,три\n"
    )
    for name in COMMANDS:
        if name.startswith("quantize"):
            model = folder / name / "model"
            model.mkdir(parents=True, exist_ok=True)
            for path in (tree / "gigastt_lab/demo/model").iterdir():
                (model / path.name).write_bytes(path.read_bytes())


def _of_command(
    name: str, command: Command, tree: Path, folder: Path, environment: dict[str, str]
) -> dict[str, str]:
    out = folder / name
    out.mkdir(exist_ok=True)
    arguments = [_placed(argument, folder, out) for argument in command.arguments]
    stdin = open(_placed(command.stdin, folder, out), "rb") if command.stdin else None  # noqa: SIM115 - the process reads it
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=environment,
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    texts = {"exit": str(ran.returncode).encode(), "stdout": ran.stdout, "stderr": ran.stderr}
    texts |= {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }
    return {
        f"{name}: {part}": _masked(content, tree, folder, command.timed) for part, content in texts.items()
    }


def _placed(word: str, folder: Path, out: Path) -> str:
    return word.replace("OUT", str(out)).replace("IN/", f"{folder}/")


def _of_server(tree: Path, folder: Path, environment: dict[str, str]) -> dict[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gigastt_lab.serve",
        "--model",
        "demo",
        "--precision",
        "fp32",
        "--port",
        str(port),
    ]
    found = {}
    with subprocess.Popen(command, cwd=tree, env=environment, stderr=subprocess.PIPE) as server:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while _answer(f"{url}/ready", None)[0] != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        for name, path, body in REQUESTS:
            status, content = _answer(url + path, None if body is None else (tree / body).read_bytes())
            found[f"server {name}"] = f"{status}\n" + _masked(content, tree, folder, timed=False)
        server.terminate()
    return found


def _answer(url: str, body: bytes | None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        return 0, str(error).encode()


def _masked(content: bytes, tree: Path, folder: Path, timed: bool) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        import hashlib

        return (
            f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}" if not timed else "bytes"
        )
    text = text.replace(str(folder), "FOLDER").replace(str(tree), "TREE")
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return _BLANKS.sub(" ", _NUMBER.sub("N", text)) if timed else text


if __name__ == "__main__":
    sys.exit(main())
