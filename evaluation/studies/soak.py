"""A soak of the server: `python -m evaluation.studies.soak --minutes 60`.

Starts the server, and has clients do for a long time what clients do, well and badly: files in several
containers, cut and damaged ones, events, OpenAI's forms and events, jobs, live streams of samples and of what
browsers record, more than there are permits or room, malformed bodies and messages, wrong keys, readers that
are slow, and clients that hang up. Every few seconds it looks at memory, descriptors, threads and permits and
times a request that is always the same. In the end all permits have to be free, every answer one that is
allowed, no job lost, nothing may have hung, and memory may not have grown; else the exit code is 1.
"""

from __future__ import annotations

import argparse
import http.client
import logging
import secrets
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from evaluation.cli.options import at_least
from evaluation.cli.server import add_model_options, address
from evaluation.records.naming import safe_name
from evaluation.server_study import soak_output as output
from evaluation.server_study.client import Address
from evaluation.server_study.clips import Material
from evaluation.server_study.crowd import crowd
from evaluation.server_study.first_texts import first_texts
from evaluation.server_study.job_book import JobsLeft, jobs_left
from evaluation.server_study.mix import mix_of
from evaluation.server_study.operations import DEADLINE_S, Limits, Scene
from evaluation.server_study.process import (
    Footprint,
    ModelChoice,
    ServerProcess,
    footprint,
    terminated_as_interrupted,
)
from evaluation.server_study.sampling import Sampler, latest, models, pool_available
from evaluation.server_study.verdict import Evidence
from evaluation.systems.base import SystemUnavailableError
from gigastt_lab.errors import brief
from gigastt_lab.exit_codes import ExitCode, epilog, run_command, start_logging

logger = logging.getLogger(__name__)

# Limits near enough for an operation to reach them within seconds.
_LIMITS: Final = Limits(
    body_limit_bytes=4 * 2**20, idle_timeout_s=5.0, checkout_timeout_s=2.0,
    jobs_max_bytes=6 * 2**20, jobs_max_queued=8, jobs_keep_s=60.0,
)  # fmt: skip
_RATE: Final = 6.0
_LONGEST_INTERVAL_S: Final = 5.0
_SAMPLES_AT_LEAST: Final = 40
_SETTLE_S: Final = 20.0  # within which a server that nobody uses has given everything back
_EPILOG: Final = epilog(
    [ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.INTERRUPTED],
    ok="the server has stood it",
    failed="it has not: the summary says why; or it could not be started or reached",
)


@dataclass(frozen=True)
class _Target:
    """The server that is soaked: its process and its folder, where they are ours, or only where it is."""

    address: Address
    pid: int | None
    process: ServerProcess | None = None
    jobs_folder: Path | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak and return the exit code."""
    options = _options(arguments)
    start_logging({}, level=logging.INFO)
    return run_command(_soak, options)


def _soak(options: argparse.Namespace) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    with terminated_as_interrupted(), _target(options) as target:
        result = _soaked(target, options)
    return output.show(result, options)


def _soaked(target: _Target, options: argparse.Namespace) -> output.Result:
    """Everything that was seen of a server, which has ended by then where it was ours."""
    server = models(target.address, DEADLINE_S)
    scene = _scene(target, server)
    before = footprint(target.pid)
    interval_s = min(_LONGEST_INTERVAL_S, 60 * options.minutes / _SAMPLES_AT_LEAST)
    with Sampler(
        target.address,
        target.pid,
        scene.material.probe,
        interval_s=interval_s,
        jobs_folder=target.jobs_folder,
    ) as sampler:

        def note() -> str:
            now = latest(sampler.samples)
            return "" if now is None else f", {now.resident_bytes / 1e6:.0f} MB"

        found = crowd(
            scene,
            mix_of(scene),
            seconds=60 * options.minutes,
            rate=options.rate,
            seed=options.seed,
            note=note,
        )
    jobs = _jobs_left(target, scene)
    available, after = _settled(target, scene.limits.pool_size)
    evidence = Evidence(
        seconds=found.seconds,
        done=found.done,
        samples=sampler.samples,
        pool_size=scene.limits.pool_size,
        pool_available=available,
        before=before,
        after=after,
        exit_code=None if target.process is None else target.process.stop(),
        log=None if target.process is None else target.process.log,
        jobs=jobs,
        jobs_max_bytes=scene.limits.jobs_max_bytes,
    )
    return output.Result(server=server, limits=scene.limits, crowd=found, evidence=evidence)


def _scene(target: _Target, server: Mapping[str, Any]) -> Scene:
    """Scene of the soak, the texts of files and streams in it; the server is warm then."""
    size = server.get("pool_size")
    if not isinstance(size, int):
        raise SystemUnavailableError(f"{target.address.url}/v1/models tells no pool_size: no such server")
    limits = Limits(pool_size=size) if target.process is None else replace(_LIMITS, pool_size=size)
    scene = Scene(address=target.address, material=Material.made(), limits=limits, deadline_s=DEADLINE_S)
    return replace(scene, texts=first_texts(scene))


def _jobs_left(target: _Target, scene: Scene) -> JobsLeft | None:
    """Jobs when all is over; None where nothing can be said of them."""
    try:
        return jobs_left(
            target.address, scene.jobs, target.jobs_folder,
            keep_s=scene.limits.jobs_keep_s, patience_s=_SETTLE_S,
        )  # fmt: skip
    except (OSError, http.client.HTTPException) as error:
        logger.warning("the jobs could not be looked at: %s", brief(error))
        return None


def _settled(target: _Target, pool_size: int) -> tuple[int | None, Footprint | None]:
    """Free permits and footprint, as soon as all are free; or after some time."""
    give_up_at = time.monotonic() + _SETTLE_S
    while (available := pool_available(target.address, _LONGEST_INTERVAL_S)) != pool_size:
        if time.monotonic() > give_up_at:
            break
        time.sleep(0.2)
    return available, footprint(target.pid)


@contextmanager
def _target(options: argparse.Namespace) -> Iterator[_Target]:
    """A server of our own; or the one that is named."""
    if options.url is not None:
        yield _Target(replace(options.url, key=options.api_key), options.pid)
        return
    choice = ModelChoice(model=options.model, directory=options.model_dir)
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        jobs_folder, key_file, key = Path(name, "jobs"), Path(name, "keys"), secrets.token_hex()
        key_file.touch(mode=0o600)
        key_file.write_text(f"soak: {key}\n", encoding="ascii")
        flags = [*choice.flags, *replace(_LIMITS, pool_size=options.pool_size).flags, "--metrics"]
        flags += ["--jobs-dir", str(jobs_folder), "--api-key-file", str(key_file)]
        with ServerProcess(flags, options.out / "server.log") as process:
            yield _Target(replace(process.address, key=key), process.pid, process, jobs_folder)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.studies.soak", description=__doc__, epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("--minutes", type=_positive, default=60.0, metavar="M", help="default: 60")
    add("--rate", type=_positive, default=_RATE, metavar="N",
        help=f"operations per second, on average; default: {_RATE:g}, for two cores")  # fmt: skip
    add("--seed", type=at_least(0), default=0, help="of what clients do; default: 0")
    add_model_options(add)
    add("--pool-size", type=at_least(1), default=_LIMITS.pool_size, metavar="N", help="permits; default: 4")
    add(
        "--url",
        type=address,
        metavar="http://HOST:PORT",
        help="a server that runs already, its limits as usual",
    )
    add(
        "--api-key-file",
        metavar="FILE",
        type=_key,
        dest="api_key",
        help="of that server: a file with one of its keys alone",
    )
    add("--pid", type=at_least(1), help="of that server's process, to see what it holds")
    add("--out", type=Path, metavar="DIR", help="default: runs/soak_<model>")
    options = parser.parse_args(arguments)
    options.out = options.out or Path("runs") / safe_name(f"soak_{options.model}")
    options.command = shlex.join(["python", "-m", "evaluation.studies.soak", *(arguments or sys.argv[1:])])
    return options


def _key(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be read: {brief(error)}") from error


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number above 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
