"""Record files: what a system said to each utterance, raw, with what it took.

Lives here: reading, writing by one process at a time, other engines' output, the machine in the header.
May import: `datasets`, `normalize` (its version), `show`.
Public: `load`, `files.read`, `files.Record`, `importing.import_records`.
"""
