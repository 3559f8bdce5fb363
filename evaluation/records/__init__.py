"""Record files: what a system said to each utterance, raw, with what it took.

Lives here: reading, writing by one process at a time, other engines' output, with references in the same file
or in another (`hypotheses`, put to them by id or by time), tables as record files, the machine in the header,
its load at the end.
May import: `datasets`, `normalize` (its version), `show`.
Public: `load`, `files.read`, `files.Record`, `tables.record_file`, `importing.import_records`.
"""

from typing import TYPE_CHECKING

from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from evaluation.records.files import load as load

__all__, __getattr__, __dir__ = lazy(__name__, {"load": "files:load"}, was="files")
