"""Scores of records: error rates, differences of systems and what they allow to say, plans, speed.

Lives here: metrics and counts, comparison of two systems, verdicts, margins, MAPSSWE, plans, latency.
May import: `records`, `normalize`, `statistics`, `show`.
Public: `scores.score`, `compare.compare`, `options.Options`, `verdicts`, `planning`, `mapsswe`.
"""
