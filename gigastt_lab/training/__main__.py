"""`python -m gigastt_lab.training`: corpus, train, export, evaluate, clips."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from gigastt_lab.engine import load_engine
from gigastt_lab.errors import GigasttError
from gigastt_lab.models.files import VOCABULARY_NAME
from gigastt_lab.models.registry import DEMO_DIRECTORY, DEMO_MODEL
from gigastt_lab.training.architecture import CONFIGS, ModelConfig, Transducer
from gigastt_lab.training.clips import write_clips
from gigastt_lab.training.corpus import DEFAULT_SEED, Corpus, CorpusSize, build
from gigastt_lab.training.evaluate import as_markdown, recognise, recognise_recordings, score, write_records
from gigastt_lab.training.export import export
from gigastt_lab.training.pieces import CHARACTERS
from gigastt_lab.training.random_weights import randomise, write_placeholder_vocabulary
from gigastt_lab.training.train import CHECKPOINT_FILE, TrainOptions, train

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (GigasttError, OSError) as error:
        logger.error("%s", error)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gigastt_lab.training", description="How the demo model is made."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "corpus", help="generate sentences and have them spoken (espeak-ng, festival)"
    )
    command.add_argument("--out", type=Path, required=True)
    command.add_argument("--utterances", type=int, default=CorpusSize().train, help="of the training split")
    command.add_argument("--processes", type=int, default=2)
    command.add_argument("--seed", type=int, default=DEFAULT_SEED)
    command.set_defaults(run=_corpus)

    command = commands.add_parser("train", help="train on a corpus; checkpoints go to --out")
    command.add_argument("--corpus", type=Path, required=True)
    command.add_argument("--out", type=Path, required=True)
    command.add_argument("--size", choices=("tiny", "demo"), default="demo")
    command.add_argument(
        "--minutes", type=float, required=True, help="wall-clock time; the schedule follows it"
    )
    command.add_argument("--processes", type=int, default=2)
    command.add_argument(
        "--init", type=Path, metavar="DIR", help="go on from the weights of a model directory"
    )
    command.add_argument("--learning-rate", type=float, help="default: 2e-3, or 1e-3 with --init")
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=_train)

    command = commands.add_parser("export", help="write a model directory in GigaAM's layout")
    command.add_argument("--out", type=Path, required=True)
    command.add_argument("--from", dest="trained", type=Path, metavar="DIR", help="where `train` wrote")
    command.add_argument("--random", action="store_true", help="random weights, for speed work")
    command.add_argument("--size", choices=tuple(CONFIGS), default="demo", help="with --random")
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=_export)

    command = commands.add_parser(
        "evaluate", help="WER and CER on the corpus's held-out test, with intervals"
    )
    command.add_argument("--model-dir", type=Path, default=DEMO_DIRECTORY, help="default: the packaged model")
    command.add_argument("--corpus", type=Path, required=True)
    command.add_argument("--precision", choices=("fp32", "int8"), default="fp32")
    command.add_argument("--split", choices=("test", "valid"), default="test")
    command.add_argument("--limit", type=int, help="utterances per cell")
    command.add_argument(
        "--real", type=Path, metavar="PATH", help="also real recordings: a manifest, as `eval` reads it"
    )
    command.add_argument("--records", type=Path, metavar="JSONL", help="write references and hypotheses here")
    command.set_defaults(run=_evaluate)

    command = commands.add_parser("clips", help="write the sample clips from the held-out test, or all of it")
    command.add_argument("--corpus", type=Path, required=True)
    command.add_argument("--out", type=Path, required=True)
    command.add_argument(
        "--all",
        action="store_true",
        help="the whole test, for `python -m gigastt_lab.eval --dataset OUT/manifest.jsonl`",
    )
    command.set_defaults(
        run=lambda options: write_clips(options.corpus, options.out, per_cell=None if options.all else 4)
    )
    return parser


def _corpus(options: argparse.Namespace) -> None:
    size = CorpusSize(train=options.utterances)
    build(options.out, size=size, seed=options.seed, processes=options.processes)


def _train(options: argparse.Namespace) -> None:
    rate = options.learning_rate or (2e-3 if options.init is None else 1e-3)
    train_options = TrainOptions(
        minutes=options.minutes, processes=options.processes, learning_rate=rate, seed=options.seed,
        curriculum=options.init is None,
    )  # fmt: skip
    train(CONFIGS[options.size], options.corpus, options.out, train_options, options.init)


def _export(options: argparse.Namespace) -> None:
    if options.random == (options.trained is not None):
        sys.exit("give either --random or --from DIR")
    if options.random:
        model = Transducer(CONFIGS[options.size])
        randomise(model, seed=options.seed)
        export(model, options.out)
        write_placeholder_vocabulary(model.config.n_tokens, options.out / VOCABULARY_NAME)
        return
    checkpoint = torch.load(options.trained / CHECKPOINT_FILE, weights_only=True)
    model = Transducer(ModelConfig(**checkpoint["config"]), n_characters=len(CHARACTERS) + 1)
    model.load_state_dict(checkpoint["model"])
    export(model, options.out)
    shutil.copyfile(options.trained / VOCABULARY_NAME, options.out / VOCABULARY_NAME)


def _evaluate(options: argparse.Namespace) -> None:
    engine = load_engine(DEMO_MODEL, model_dir=options.model_dir, precision=options.precision, provider="cpu")
    records = recognise(engine, Corpus(options.corpus), split=options.split, limit=options.limit)
    if options.real is not None:
        records += recognise_recordings(engine, options.real, "real speech")
    if options.records is not None:
        write_records(records, options.records)
    sys.stdout.write(as_markdown(score(records), engine))


if __name__ == "__main__":
    sys.exit(main())
