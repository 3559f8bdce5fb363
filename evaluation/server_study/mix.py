"""The mix of a soak: what clients do, and how often.

For tests, too::

    scene = Scene(address=Address.of(url), material=Material.made())
    rng = random.Random(0)
    outcomes = [perform(draw(mix_of(scene), rng), scene, rng) for _ in range(100)]
"""

from __future__ import annotations

from typing import Final

from evaluation.server_study import mix_files, mix_live
from evaluation.server_study.operations import Done, Operation, Scene, draw, perform

__all__ = ["MIX", "Done", "Operation", "Scene", "draw", "mix_of", "perform"]

MIX: Final = (
    Operation("transcribe", 20, mix_files.transcribe),
    Operation("openai", 8, mix_files.openai),
    Operation("events", 8, mix_files.events),
    Operation("stream", 14, mix_live.stream),
    Operation("questions", 8, mix_files.questions),
    Operation("streams beyond permits", 2, mix_live.streams_beyond_permits),
    Operation("slow body", 3, mix_files.slow_body),
    Operation("slow events", 3, mix_files.slow_events),
    Operation("slow stream reader", 3, mix_live.slow_stream_reader),
    Operation("idle stream", 1, mix_live.idle_stream),
    Operation("hang up in body", 4, mix_files.hang_up_in_body),
    Operation("hang up at work", 4, mix_files.hang_up_at_work),
    Operation("hang up in events", 4, mix_files.hang_up_in_events),
    Operation("hang up in stream", 4, mix_live.hang_up_in_stream),
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


def mix_of(scene: Scene) -> list[Operation]:
    """`MIX` as far as it suits the server: nobody waits for minutes until a silent client is hung up on."""
    waits = scene.limits.idle_timeout_s <= _LONGEST_IDLE_S
    return [each for each in MIX if waits or each.act is not mix_live.idle_stream]
