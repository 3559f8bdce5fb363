"""Loading of a model: its files made a recogniser and a tokenizer, on the first provider that starts."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from typing import NamedTuple

from gigastt_lab.errors import ModelError, ModelNotFoundError, ProviderError
from gigastt_lab.models.files import ModelFiles, Precision, PrecisionChoice
from gigastt_lab.models.registry import DEFAULT_MODEL, DEMO_DIRECTORY, canonical_name, model_directory
from gigastt_lab.recognition.buckets import with_fixed_lengths
from gigastt_lab.recognition.networks import Networks, load_networks
from gigastt_lab.recognition.precision import find_files, warn_of_int8
from gigastt_lab.recognition.recognizer import Recognizer
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.runtime.sessions import RuntimeOptions, on_first_that_starts
from gigastt_lab.types import Provider, ProviderName

logger = logging.getLogger(__name__)

_HOW_TO_GET_IT = (
    "To get it: python -m gigastt_lab download. To use files that are somewhere already: --model-dir "
    "(model_dir=...). The small packaged model is --model demo"
)


class Origin(NamedTuple):
    """Arguments of `load` that load the very same model again."""

    model: str
    model_dir: str | None
    precision: Precision
    provider: ProviderName
    threads: int
    max_symbols: int


@dataclass(frozen=True)
class EngineInfo:
    """Model, precision, provider and threads that an engine really runs.

    Attributes:
        model: Name of the model.
        directory: Directory of its files.
        precision: Precision of the encoder.
        provider: Execution provider that was taken.
        threads: Threads inside one operator of the encoder.
        vocab_size: Pieces of the vocabulary, the blank included.
    """

    model: str
    directory: str
    precision: Precision
    provider: ProviderName
    threads: int
    vocab_size: int


@dataclass(frozen=True, eq=False)
class Loaded:
    """Model that is loaded.

    Attributes:
        recognizer: Its recogniser.
        tokenizer: Its tokenizer.
        info: What really runs.
        origin: Arguments that load it again.
    """

    recognizer: Recognizer
    tokenizer: Tokenizer
    info: EngineInfo
    origin: Origin


def load(
    model: str,
    model_dir: str | os.PathLike[str] | None,
    *,
    precision: PrecisionChoice,
    provider: Provider,
    threads: int | None,
    max_symbols: int,
) -> Loaded:
    """Load a model; arguments and errors are those of `engine.load_engine`."""
    name = canonical_name(model)
    directory = model_directory(name, model_dir)

    def load_on(taken: ProviderName) -> tuple[ModelFiles, Tokenizer, Networks]:
        files = find_files(directory, precision, taken)
        tokenizer = Tokenizer.from_file(files.vocabulary)
        options = RuntimeOptions(provider=taken, threads=threads)
        networks = load_networks(files, options, n_vocabulary=len(tokenizer))
        try:
            encoder = with_fixed_lengths(networks.encoder)
        except ModelError as error:  # its first runs: memory, or an operator that only then turns out to fail
            raise ProviderError(
                f"provider {taken} loaded {files.encoder} and cannot run it: {error}"
            ) from error
        return files, tokenizer, replace(networks, encoder=encoder)

    try:
        files, tokenizer, networks = on_first_that_starts(
            RuntimeOptions(provider=provider, threads=threads).provider, str(directory), load_on
        )
    except ModelNotFoundError as error:
        if name == DEFAULT_MODEL:
            raise ModelNotFoundError(f"{error}. {_HOW_TO_GET_IT}") from error
        raise
    recognizer = Recognizer(networks, blank_id=tokenizer.blank_id, max_symbols=max_symbols)
    session = networks.encoder.session
    info = EngineInfo(
        name, str(directory), files.precision, session.provider, session.threads, len(tokenizer)
    )
    warn_of_int8(info.precision, info.provider)
    # The demo is found anew: another process may have this package elsewhere.
    place = None if directory == DEMO_DIRECTORY else str(directory.absolute())
    origin = Origin(name, place, info.precision, info.provider, info.threads, max_symbols)
    return Loaded(recognizer, tokenizer, info, origin)


def load_after_fork(origin: Origin) -> Loaded:
    """Load a model in this process that its parent has loaded.

    Raises:
        ModelError: it cannot be loaded again; the message says what to do.
    """
    how = 'load the engine in the new process, or start that by multiprocessing.get_context("spawn")'
    if origin.provider != "cpu":
        raise ModelError(f"the engine was loaded on {origin.provider} before this process was forked: {how}")
    logger.info("%s was loaded before this process was forked: loading it again", origin.model)
    try:
        return load(**origin._asdict())
    except ModelError as error:
        raise type(error)(f"{error}. The engine was loaded before this process was forked: {how}") from error
