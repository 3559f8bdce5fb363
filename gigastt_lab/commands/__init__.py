"""The commands of `python -m gigastt_lab`: one module each, with `add_parser` and `run`."""
