"""Study of the server as its clients see it, behind `eval server` and the soak.

Lives here: a client, load, overhead over the engine, memory, live streams, the soak's operations and verdict.
May import: `stream_study`, `plots`, `scoring`, `systems`, `records`, `datasets` (audio), `show`.
Public: `benchmark.benchmark`, `process.ServerProcess`; the soak is run by `evaluation.studies.soak`.
"""
