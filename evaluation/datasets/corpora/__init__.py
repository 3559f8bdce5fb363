"""Formats of speech corpora: Kaldi, lhotse, STM, TRN, CTM and TextGrid, as segments and words with times.

Lives here: a file a format; audio beside a file; segments, and the rows that they become; references of any.
May import: the other files of `datasets` but `formats` and `named`; `gigastt_lab`.
Public: `kaldi.read_kaldi`, `lhotse.read_lhotse`, `stm.read_stm`, `trn.read_trn`, `ctm.read_ctm`,
    `textgrid.read_textgrid`, `references.read_references`.
"""
