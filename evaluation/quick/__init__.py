"""Quick ways from Python: texts to error rates, and any system over any dataset, in one call.

Lives here: `wer` of texts in pairs, `evaluate` of an engine, a model or a function.
May import: `run`, `scoring`, `systems`, `records`, `datasets`, `normalize`, `show`.
Public: `texts.wer`, `systems.evaluate`.
"""
