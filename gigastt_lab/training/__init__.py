"""Training of the demo model: `python -m gigastt_lab.training --help`. Needs the extra `training`.

Lives here: sentences and their speech, the architecture in torch, the RNN-T loss, training, export.
May import: `engine`, `recognition`, `audio`, `models`, `types`, `spec`, `errors`.
Public: none; it is run. torch is imported nowhere else.
"""
