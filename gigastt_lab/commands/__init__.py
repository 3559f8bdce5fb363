"""Commands of `python -m gigastt_lab`: one module each, with `add_parser` and `run`.

Lives here: `transcribe` (and `live`, its streams), `download`, `quantize`, `models`, `serve`, shared options.
May import: every room but `widgets` and `training`; inside functions what `--help` should not load.
Public: none; they are run.
"""
