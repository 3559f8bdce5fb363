"""Runs: systems over one dataset into a record file each, in turns or alone, resumed after a kill.

Lives here: the runner, several systems in turns (`interleaved`), windows and batches, pieces cut out for a
system (`handing`), the machine's load meanwhile (`monitor`), progress, names of runs, what notebooks call.
May import: `systems`, `scoring` (counts, for progress), `records`, `datasets`, `normalize`.
Public: `runner.run`, `interleaved.run_interleaved`, `on_demand.recorded`.
"""
