"""Operations with jobs: given, watched, fetched, cancelled, listed; and more than there is room for."""

from __future__ import annotations

import http.client
import random
import select
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any, Final

from evaluation.server_study.client import AUDIO, Answer, Client
from evaluation.server_study.garbage import damaged_audio
from evaluation.server_study.job_book import JOBS, pages
from evaluation.server_study.mix_files import check_warnings
from evaluation.server_study.operations import NotAllowedError, Scene, check_text, checked, parsed
from evaluation.server_study.sockets import answer_of, begun, connected, events_of, form, head, vanish

_FORMATS: Final = ("json", "json", "txt", "srt", "vtt", "md")
_STATUSES: Final = ("queued", "processing", "done", "failed", "cancelled")
_FULL: Final = (429, 507)
_POLL_S: Final = 0.1


def job(scene: Scene, rng: random.Random) -> str:
    """A job from its recording to its text; it is deleted then, or left to be swept."""
    name = rng.choice([*scene.material.files, "job", "job"])
    audio = scene.material.job if name == "job" else scene.material.files[name]
    with scene.client() as client:
        job_id, outcome = _submitted(scene, client, audio, rng)
        if job_id is None:
            return outcome
        last = _watched(scene, job_id) if rng.random() < 0.4 else _awaited(scene, client, job_id)["status"]
        if last != "done":
            raise NotAllowedError(f"the job of the {name} file ended as {last}")
        answer_format = rng.choice(_FORMATS)
        answer = client.request("GET", f"{JOBS}/{job_id}/result?format={answer_format}")
        checked(answer, 200)
        if answer.status == http.client.OK and answer_format == "json":
            check_text(scene, name, answer)
        if rng.random() < 0.5:
            _delete(scene, client, job_id)
            _expect_gone(client, job_id)
    return "done"


def job_cancelled(scene: Scene, rng: random.Random) -> str:
    """A job that is cancelled while it waits or is worked on, then deleted."""
    with scene.client() as client:
        job_id, outcome = _submitted(scene, client, scene.material.job, rng)
        if job_id is None:
            return outcome
        time.sleep(rng.choice((0.0, rng.uniform(0.0, 0.3))))
        _delete(scene, client, job_id)
        answer = client.request("GET", f"{JOBS}/{job_id}")
        if answer.status == http.client.NOT_FOUND:
            return "had ended"
        checked(answer, 200)
        if answer.status == http.client.OK and parsed(answer.body).get("status") != "cancelled":
            raise NotAllowedError(f"a job that was cancelled is {answer.content}")
        checked(client.request("GET", f"{JOBS}/{job_id}/result"), 409)
        _delete(scene, client, job_id)
        _expect_gone(client, job_id)
    return "cancelled"


def broken_job(scene: Scene, rng: random.Random) -> str:
    """A file that is cut, damaged or none: a result with warnings, a refusal, or a job that fails."""
    broken = rng.choice(scene.material.broken) if rng.random() < 0.6 else None
    audio = damaged_audio(rng, scene.material.files) if broken is None else broken.content
    with scene.client() as client:
        job_id, outcome = _submitted(scene, client, audio, rng, 400)
        if job_id is None:
            return outcome
        ended = _awaited(scene, client, job_id)
        if ended["status"] == "failed" and broken is None and ended["code"] == "bad_request":
            return "failed"
        if ended["status"] != "done":
            raise NotAllowedError(f"the job of a damaged file ended so: {ended}")
        answer = client.request("GET", f"{JOBS}/{job_id}/result?format=json")
        outcome = checked(answer, 200)
        if broken is not None and answer.status == http.client.OK:
            check_warnings(broken, answer)
            check_text(scene, broken.name, answer)
    return "done"


def jobs_listed(scene: Scene, rng: random.Random) -> str:
    """The list of jobs, page by page: none twice, the newest first, all of the status that is asked for."""
    status = rng.choice(("", *_STATUSES))
    query = f"&status={status}" if status else ""
    with scene.client() as client:
        found = list(pages(client, query, limit=rng.choice((2, 10, 1000))))
        refused = client.request("GET", f"{JOBS}?{rng.choice(('cursor=x', 'limit=0', 'status=new'))}")
    checked(refused, 400)
    if not found:
        return checked(refused, 400)
    jobs = [job for page in found for job in page["jobs"]]
    ids, times = [job["job_id"] for job in jobs], [job["created_at"] for job in jobs]
    wrong = [job["status"] for job in jobs if status and job["status"] != status]
    if len(set(ids)) != len(ids) or times != sorted(times, reverse=True) or wrong:
        what = wrong or "a wrong order"
        raise NotAllowedError(f"the list of {status or 'all'} jobs has {what}: {ids[:20]}")
    if set(found[0]["counts"]) != set(_STATUSES) or min(found[0]["counts"].values()) < 0:
        raise NotAllowedError(f"the list of jobs counts {found[0]['counts']}")
    return "listed"


def hang_up_in_job(scene: Scene, rng: random.Random) -> str:
    """A client that goes away while it sends the recording of a job: there is no job."""
    audio = scene.material.job
    with closing(connected(scene)) as connection:
        connection.sendall(head(scene, JOBS, len(audio)) + audio[: rng.randrange(len(audio))])
        time.sleep(rng.uniform(0.0, 0.2))
        vanish(connection, rng)
    return "hung up"


def jobs_beyond_queue(scene: Scene, rng: random.Random) -> str:
    """Twice as many jobs as may wait, at once: those that are taken are done, the others refused in words."""
    n = min(2 * scene.limits.jobs_max_queued, 32)
    seeds = [rng.random() for _ in range(n)]

    def submit(seed: float) -> str:
        with scene.client() as client:
            return _submitted(scene, client, scene.material.files["ogg"], random.Random(seed))[1]

    with ThreadPoolExecutor(n) as threads:
        outcomes = set(threads.map(submit, seeds))
    return "all taken" if outcomes == {"202"} else "some refused"


def jobs_beyond_bytes(scene: Scene, rng: random.Random) -> str:
    """More bytes than there is room for: refused as soon as they are announced; then the others hang up."""
    size = scene.limits.jobs_max_bytes // 5 * 2
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(connected(scene))) for _ in range(3)]
        for connection in connections:
            connection.sendall(head(scene, JOBS, size) + scene.material.job[:1_000])
        answered, _, _ = select.select(connections, [], [], scene.deadline_s)
        if not answered:
            raise TimeoutError("three uploads of two fifths of the room each, and none is refused")
        outcome = checked(answer_of(begun(answered[0])), *_FULL)
        for connection in connections:
            vanish(connection, rng)
    return outcome


def _submitted(
    scene: Scene, client: Client, audio: bytes, rng: random.Random, *allowed: int
) -> tuple[str | None, str]:
    """Id of a new job, None where it was refused; and the outcome."""
    headers, body = (dict(AUDIO), audio) if rng.random() < 0.7 else form(audio, "a.audio")
    answer = client.request("POST", f"{JOBS}?format={rng.choice(_FORMATS)}", body, headers)
    outcome = checked(answer, 202, *_FULL, *allowed)
    if answer.status != http.client.ACCEPTED:
        return None, outcome
    job_id = str(parsed(answer.body).get("job_id"))
    scene.jobs.accept(job_id)
    if answer.headers.get("location") != f"{JOBS}/{job_id}":
        raise NotAllowedError(f"the location of job {job_id} is {answer.headers.get('location')}")
    return job_id, outcome


def _awaited(scene: Scene, client: Client, job_id: str) -> dict[str, Any]:
    """The job when it has ended, asked for again and again; its progress only grows.

    Raises:
        TimeoutError: it does not end.
    """
    give_up_at, before = time.monotonic() + scene.deadline_s, 0.0
    while time.monotonic() < give_up_at:
        answer = client.request("GET", f"{JOBS}/{job_id}")
        if checked(answer, 200) == "200":
            found: dict[str, Any] = parsed(answer.body)
            if found["processed_seconds"] < before or not 0 <= found["percent"] <= 100:
                raise NotAllowedError(f"after {before} s of the job, {found}")
            before = found["processed_seconds"]
            if found["status"] in _STATUSES[2:]:
                return found
        time.sleep(_POLL_S)
    raise TimeoutError(f"job {job_id} does not end")


def _watched(scene: Scene, job_id: str) -> str:
    """End of a job, by its events."""
    with closing(connected(scene)) as connection:
        lines = [f"GET {JOBS}/{job_id}/events HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in scene.address.headers.items()]
        connection.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        response = begun(connection)
        if response.status != http.client.OK:
            raise NotAllowedError(f"the events of a job: {checked(answer_of(response), 200)}")
        kinds = [str(event.get("type")) for event in events_of(response, scene.deadline_s)]
    if set(kinds[:-1]) - {"progress"} or not kinds:
        raise NotAllowedError(f"the events of job {job_id} were {kinds}")
    return kinds[-1]


def _delete(scene: Scene, client: Client, job_id: str) -> None:
    scene.jobs.delete(job_id)
    answer = client.request("DELETE", f"{JOBS}/{job_id}")
    if answer.status != http.client.NO_CONTENT:
        raise NotAllowedError(f"a job is deleted, and the answer is {checked(answer, 204)}")


def _expect_gone(client: Client, job_id: str) -> None:
    answer: Answer = client.request("GET", f"{JOBS}/{job_id}")
    if checked(answer, 404) != "404 job_not_found":
        raise NotAllowedError(f"a job that was deleted is answered with {answer.status}")
