"""Runs: one system over one dataset into one record file, resumed after a kill.

Lives here: the runner, windows and batches, progress, names of runs, what notebooks call.
May import: `systems`, `scoring` (counts, for progress), `records`, `datasets`, `normalize`.
Public: `runner.run`, `on_demand.recorded`.
"""
