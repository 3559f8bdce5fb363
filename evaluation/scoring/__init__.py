"""Scores of records: error rates, intervals, differences, breakdowns, speed.

Lives here: metrics and counts, bootstrap intervals, MAPSSWE, comparison of two systems, breakdowns.
May import: `records`, `normalize`, `show`.
Public: `scores.score`, `compare.compare`, `options.Options`, `breakdowns`, `intervals`, `mapsswe`.
"""
