"""Everything that one WER does not say, a file for each question.

Lives here: breakdowns by length, noise, speaker or any column; punctuation, numbers, keywords; words where
nobody speaks, loops, words left out in a row; calibration; word times.
May import: `scoring`.
Public: `breakdowns`, `groups`, `punctuation`, `numbers`, `keywords`, `hallucination`, `loops`,
`deletion_runs`, `calibration`, `word_times`.
"""
