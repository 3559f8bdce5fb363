"""Datasets: utterances in a fixed order, and an account of what was left out.

Lives here: named sets and a made one without speech (`nonspeech`), the Hub, the formats of local sets (a list
of them in `formats`; those of Kaldi, lhotse and NIST in `corpora`), tables and sets in memory (`in_memory`),
pieces of recordings, marks of noise in references (`tags`), an utterance's audio, added noise.
May import: `gigastt_lab`.
Public: `open_dataset`, `Dataset`, `Utterance`, `Piece`, `Finding`, `DatasetError`, `Noisy`, `NAMED_SETS`,
`DEMO_SET`.
"""

from typing import TYPE_CHECKING

from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from evaluation.datasets.named import DEMO_SET as DEMO_SET
    from evaluation.datasets.named import NAMED_SETS as NAMED_SETS
    from evaluation.datasets.named import open_dataset as open_dataset
    from evaluation.datasets.noise import Noisy as Noisy
    from evaluation.datasets.pieces import Piece as Piece
    from evaluation.datasets.utterances import Dataset as Dataset
    from evaluation.datasets.utterances import DatasetError as DatasetError
    from evaluation.datasets.utterances import Finding as Finding
    from evaluation.datasets.utterances import Utterance as Utterance

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "DEMO_SET": "named:DEMO_SET",
        "NAMED_SETS": "named:NAMED_SETS",
        "Dataset": "utterances:Dataset",
        "DatasetError": "utterances:DatasetError",
        "Finding": "utterances:Finding",
        "Noisy": "noise:Noisy",
        "Piece": "pieces:Piece",
        "Utterance": "utterances:Utterance",
        "open_dataset": "named:open_dataset",
    },
    was="named",
)
