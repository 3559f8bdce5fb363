"""Studies that are one file and a command of their own: `python -m evaluation.studies.NAME --help`.

Lives here: long recordings, quantization recipes, rewriting steps, OpenVINO, the server's soak; coverage of
intervals (`coverage`, `beyond_coverage`), effects of the normaliser, speech with known word times.
May import: every room of `evaluation`.
Public: none; they are run. `encoders` is what those that compare encoders have in common.
"""
