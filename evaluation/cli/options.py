"""Options that several commands take, and the systems and datasets that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from evaluation.datasets.named import NAMED_SETS, Dataset, open_dataset
from evaluation.datasets.tags import TagRule
from evaluation.datasets.utterances import DuplicateRule
from evaluation.normalize import DEFAULT_PROFILE, NORMALIZER_VERSION, PROFILES, VERSIONS
from evaluation.scoring.options import Blocks, Method
from evaluation.systems.registry import SystemSpec, matrix, peer_spec
from gigastt_lab.engine import DEFAULT_BATCH_SIZE
from gigastt_lab.models.files import PrecisionChoice
from gigastt_lab.models.registry import DEFAULT_MODEL
from gigastt_lab.runtime.cores import DEFAULT_THREADS
from gigastt_lab.types import Provider


def add_system_options(parser: argparse.ArgumentParser) -> None:
    """Add options for systems: a matrix of engines, and peers beside them."""
    group = parser.add_argument_group("systems (lists are separated by commas; all combinations are run)")
    add_engine_options(group, precision=["fp32", "int8"])
    add = group.add_argument
    add("--batch-size", type=_counts, default=[DEFAULT_BATCH_SIZE], metavar="N,...",
        help=f"utterances at once; 1: one at a time, for latency; default: {DEFAULT_BATCH_SIZE}")  # fmt: skip
    add("--peer", action="append", default=[], metavar="NAME[,OPTION=VALUE...]",
        help="another system beside them; repeatable. onnx-asr on the same model (precision=int8 where its "
        "directory has all three graphs so); gigastt, its Python wheel; or the URL of a server that speaks "
        "gigastt's route, or OpenAI's (route=openai, also model, language, api_key_variable)")  # fmt: skip
    add("--peers-only", action="store_true", help="only the peers")


def add_engine_options(group: argparse._ArgumentGroup, *, precision: Sequence[PrecisionChoice]) -> None:
    """Add options for engines of this package."""
    add = group.add_argument
    add("--model", type=_names, default=[DEFAULT_MODEL], metavar="NAME,...",
        help=f"default: {DEFAULT_MODEL}; demo: the small packaged one")  # fmt: skip
    add("--model-dir", metavar="DIR", help="directory of the model, if not the usual one")
    add("--precision", type=among(PrecisionChoice), default=list(precision), metavar="NAME,...",
        help=f"of the encoder; default: {','.join(precision)}")  # fmt: skip
    add("--provider", type=among(Provider), default=["auto"], metavar="NAME,...",
        help="execution provider: cpu, cuda, openvino, ...; default: auto")  # fmt: skip
    add("--threads", type=_counts, default=[None], metavar="N,...",
        help=f"default: {DEFAULT_THREADS}")  # fmt: skip


def add_dataset_options(parser: argparse.ArgumentParser) -> None:
    """Add options for the dataset."""
    group = parser.add_argument_group("dataset")
    add = group.add_argument
    named = ", ".join((*NAMED_SETS, "demo", "nonspeech"))
    add("--dataset", metavar="NAME|PATH",
        help=f"{named}; owner/name on the Hub; or a path: a manifest (.jsonl, .csv, .tsv), parquet, a folder "
        "of audio with its texts, ...; docs/data.md shows each format")  # fmt: skip
    add("--split", help="of a set that has several; default: test, or the only one")
    add("--limit", type=at_least(1), metavar="N", help="the first N utterances")
    add(
        "--sample",
        type=at_least(1),
        metavar="N",
        help="N rows drawn at random, the same for the same --seed",
    )
    add("--revision", help="of a set on the Hub; default: the pinned one, else main")
    add("--config", help="configuration, or language, of a set that has several")
    add("--audio-column", metavar="NAME")
    add("--text-column", metavar="NAME")
    add("--duplicates", choices=get_args(DuplicateRule), default="keep", help="default: keep, as others do")
    add("--tags", choices=get_args(TagRule), default="drop",
        help="marks of noise in references, such as [шум] and <unk>; default: drop")  # fmt: skip
    add("--seed", type=at_least(0), default=0, help="of the sample and of the resamples; default: 0")


def add_loss_options(parser: argparse.ArgumentParser) -> None:
    """Add options for audio that is not whole, of commands that transcribe."""
    parser.add_argument("--strict-audio", action="store_true",
        help="utterances whose audio was cut or is damaged fail; default: they are heard as far as they go, "
        "and told")  # fmt: skip


def add_score_options(parser: argparse.ArgumentParser) -> None:
    """Add options for scoring."""
    group = parser.add_argument_group("scoring")
    add = group.add_argument
    add("--profile", choices=PROFILES, default=DEFAULT_PROFILE,
        help=f"of the normaliser; default: {DEFAULT_PROFILE}")  # fmt: skip
    add("--resamples", type=at_least(100), default=1000, metavar="N",
        help="of the bootstrap, 100 or more; default: 1000")  # fmt: skip
    add("--blocks", choices=get_args(Blocks), default="auto",
        help="what is independent; default: speakers or sessions where they are known")  # fmt: skip
    add("--intervals", choices=get_args(Method), default="auto",
        help="default: jackknife with Student's t on small sets, bootstrap on large ones")  # fmt: skip
    add("--normalizer", choices=VERSIONS, default=NORMALIZER_VERSION, metavar="VERSION",
        help=f"rules that score: {', '.join(VERSIONS)}; default: {NORMALIZER_VERSION}")  # fmt: skip
    add("--compounds", action="store_true",
        help="words that only a space parts are no error: радио пираты, радиопираты")  # fmt: skip
    if not any(action.dest == "seed" for action in parser._actions):
        add("--seed", type=at_least(0), default=0, help="of the resamples; default: 0")


def add_out_options(parser: argparse.ArgumentParser) -> None:
    """Add options for the folder of records."""
    group = parser.add_argument_group("output")
    group.add_argument("--out", type=Path, metavar="DIR", help="default: runs/<dataset>_<model>")
    group.add_argument("--fresh", action="store_true", help="begin anew, whatever is recorded there")
    group.add_argument("--retry-failed", action="store_true", help="take utterances that failed once more")


def dataset_of(options: argparse.Namespace) -> Dataset:
    """The dataset that is asked for."""
    if options.dataset is None:
        options.parser.error("say which utterances: --dataset NAME or PATH (demo: the packaged clips)")
    parser: argparse.ArgumentParser = options.parser
    try:
        return _opened(options)
    except ValueError as error:  # an option that the set does not take
        parser.error(str(error))


def _opened(options: argparse.Namespace) -> Dataset:
    return open_dataset(
        options.dataset,
        split=options.split,
        limit=options.limit,
        sample=options.sample,
        seed=options.seed,
        audio_column=options.audio_column,
        text_column=options.text_column,
        revision=options.revision,
        config=options.config,
        duplicates=options.duplicates,
        tags=options.tags,
        strict_audio=getattr(options, "strict_audio", False),  # commands that only look do not take it
    )


def specs_of(options: argparse.Namespace) -> list[SystemSpec]:
    """The systems that are asked for: the matrix, then the peers."""
    if options.peers_only and not options.peer:
        options.parser.error("--peers-only without --peer leaves no system")
    engines = [] if options.peers_only else matrix(
        options.model,
        options.precision,
        options.provider,
        threads=options.threads,
        batch_sizes=options.batch_size,
        model_dir=options.model_dir,
    )  # fmt: skip
    return [*engines, *(_peer(text, options) for text in options.peer)]


def scoring(options: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments of `scoring.scores.score`, `scoring.compare.compare` and `report.write_report`."""
    return {
        "profile": options.profile,
        "n_resamples": options.resamples,
        "seed": options.seed,
        "blocks": options.blocks,
        "method": options.intervals,
        "normalizer": options.normalizer,
        "compounds": options.compounds,
    }


def _peer(text: str, options: argparse.Namespace) -> SystemSpec:
    """The system that ``--peer`` asks for; what is not said is that of the first engine."""
    parser: argparse.ArgumentParser = options.parser
    first = {
        "model": options.model[0],
        "model_dir": options.model_dir,
        "provider": options.provider[0],
        "threads": options.threads[0],
        "batch_size": options.batch_size[0],
    }
    try:
        return peer_spec(text, first)
    except (TypeError, ValueError) as error:
        parser.error(f"--peer {text}: {error}")


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def among(choices: Any) -> Any:
    """A parser of lists whose items are among the choices of a Literal."""
    known = get_args(choices)

    def parse(text: str) -> list[str]:
        names = _names(text)
        wrong = [name for name in names if name not in known]
        if wrong or not names:
            raise argparse.ArgumentTypeError(f"{text!r}: give one or more of {', '.join(known)}")
        return names

    return parse


def points(text: str) -> float:
    """A share from points of WER: 0.3 is 0.003."""
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        found = 0.0
    if not 0 < found < 100:
        raise argparse.ArgumentTypeError(f"{text!r}: give points of WER above 0 and below 100, such as 0.3")
    return found / 100


def at_least(least: int) -> Callable[[str], int]:
    """A parser of whole numbers from `least` on."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}: give a whole number of {least} or more")
        return int(text)

    return parse


def _counts(text: str) -> list[int]:
    try:
        counts = [int(number) for number in _names(text)]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give numbers of 1 or more, such as 1 or 1,2")
    return counts
