"""The mix of a soak: what clients do, and how often.

For tests, too::

    scene = Scene(address=Address.of(url), material=Material.made())
    rng = random.Random(0)
    outcomes = [perform(draw(mix_of(scene), rng), scene, rng) for _ in range(100)]
"""

from __future__ import annotations

from typing import Final

from evaluation.server_study import mix_files, mix_jobs, mix_keys, mix_live, mix_openai, mix_recorded
from evaluation.server_study.operations import Act, Done, Operation, Scene, draw, perform

__all__ = ["MIX", "Done", "Operation", "Scene", "draw", "mix_of", "perform"]

MIX: Final = (
    Operation("transcribe", 20, mix_files.transcribe),
    Operation("broken file", 6, mix_files.broken_file),
    Operation("openai", 8, mix_openai.openai),
    Operation("openai events", 6, mix_openai.openai_events),
    Operation("events", 8, mix_files.events),
    Operation("stream", 14, mix_live.stream),
    Operation("recorded stream", 10, mix_recorded.recorded_stream),
    Operation("job", 10, mix_jobs.job),
    Operation("broken job", 3, mix_jobs.broken_job),
    Operation("job cancelled", 4, mix_jobs.job_cancelled),
    Operation("jobs listed", 4, mix_jobs.jobs_listed),
    Operation("jobs beyond queue", 1, mix_jobs.jobs_beyond_queue),
    Operation("jobs beyond bytes", 2, mix_jobs.jobs_beyond_bytes),
    Operation("questions", 8, mix_files.questions),
    Operation("wrong key", 6, mix_keys.wrong_key),
    Operation("streams beyond permits", 2, mix_live.streams_beyond_permits),
    Operation("slow body", 3, mix_files.slow_body),
    Operation("slow events", 3, mix_files.slow_events),
    Operation("slow stream reader", 3, mix_live.slow_stream_reader),
    Operation("idle stream", 1, mix_live.idle_stream),
    Operation("hang up in body", 4, mix_files.hang_up_in_body),
    Operation("hang up at work", 4, mix_files.hang_up_at_work),
    Operation("hang up in events", 4, mix_files.hang_up_in_events),
    Operation("hang up in stream", 4, mix_live.hang_up_in_stream),
    Operation("hang up in recording", 5, mix_recorded.broken_off_recording),
    Operation("hang up in job", 3, mix_jobs.hang_up_in_job),
    Operation("cut recording", 3, mix_recorded.cut_recording),
    Operation("damaged recording", 3, mix_recorded.damaged_recording),
    Operation("foreign stream", 2, mix_recorded.foreign_stream),
    Operation("malformed body", 6, mix_files.malformed_body),
    Operation("malformed request", 4, mix_files.malformed_request),
    Operation("malformed messages", 6, mix_live.malformed_messages),
    Operation("text that is none", 2, mix_live.no_text),
    Operation("empty body", 3, mix_files.empty_body),
    Operation("oversized body", 3, mix_files.oversized_body),
    Operation("oversized frame", 3, mix_live.oversized_frame),
    Operation("wrong routes", 4, mix_files.wrong_routes),
)
"""Operations that go well a little more often than the others."""

_LONGEST_IDLE_S: Final = 30.0
_MOST_BYTES: Final = 2**26


def mix_of(scene: Scene) -> list[Operation]:
    """`MIX` as far as it suits the server.

    Nobody waits for minutes until a silent client is hung up on, fills a large disk with jobs, or has a wrong
    key where none is asked for.
    """
    limits = scene.limits
    suits: dict[Act, bool] = {
        mix_live.idle_stream: limits.idle_timeout_s <= _LONGEST_IDLE_S,
        mix_jobs.jobs_beyond_queue: limits.jobs_max_bytes <= _MOST_BYTES,
        mix_jobs.jobs_beyond_bytes: limits.jobs_max_bytes <= _MOST_BYTES,
        mix_keys.wrong_key: scene.address.key is not None,
    }
    return [each for each in MIX if suits.get(each.act, True)]
