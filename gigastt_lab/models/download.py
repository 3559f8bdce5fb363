"""Download of known models: verified, resumable, one process at a time, never half a file."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from gigastt_lab.errors import ChecksumError, DirectoryNotWritableError, DiskFullError, ModelError
from gigastt_lab.models.hub import DEFAULT_RETRIES, HubFile, Retries, check_client, fetch
from gigastt_lab.models.hub_cache import in_cache, link_or_copy
from gigastt_lab.models.registry import KnownModel, ModelFile
from gigastt_lab.models.storage import (
    directory_lock,
    file_state,
    require_plain_files,
    require_space,
    sha256_of,
    size_text,
    writing_to,
)

logger = logging.getLogger(__name__)

STAGING_NAME: Final = (
    ".gigastt_lab_download"  # in the model directory: the same file system, for the renaming
)


def download(
    model: KnownModel, directory: Path, *, show_progress: bool = True, retries: Retries = DEFAULT_RETRIES
) -> tuple[str, ...]:
    """Complete `directory` with the files of `model` that it lacks: of the Hub's cache, else of the Hub.

    Every file is compared with its pinned SHA-256: those that are there, and those that arrive before they
    get their names, the encoder last. A download that was cut, or killed, goes on from the bytes that it had.

    Args:
        model: Model to download.
        directory: Directory of the model; made if it is not there.
        show_progress: True shows a bar on stderr, where that is a terminal.
        retries: Attempts and pauses after failures that may heal.

    Returns:
        Names of the files that were downloaded; none if everything was there.

    Raises:
        ModelError: `model` has no repository.
        HubUnreachableError: no network, or no usable answer.
        HubRefusedError: the Hub wants another token.
        HubMissingError: the Hub does not have a file.
        ChecksumError: a file, in the directory or on the Hub, is not the pinned one.
        DirectoryNotWritableError: the directory cannot be made or written to.
        DiskFullError: the files do not fit.
    """
    if model.repository is None or model.revision is None:
        raise ModelError(f"{model.name} is inside the package; there is nothing to download")
    staging = directory / STAGING_NAME
    missing = _missing(model, model.files, directory)
    if not missing:
        _tidy(staging)
        return ()  # without the lock: a complete directory may be read-only
    cached = {file: path for file in missing if (path := in_cache(model.repository, file)) is not None}
    if len(cached) < len(missing):
        check_client(directory)
    with directory_lock(directory):
        missing = _missing(model, missing, directory)  # another process may have been here
        if missing:
            _complete(model, missing, directory, cached=cached, show_progress=show_progress, retries=retries)
        shutil.rmtree(staging, ignore_errors=True)
    return tuple(file.name for file in missing)


def _complete(
    model: KnownModel,
    missing: Sequence[ModelFile],
    directory: Path,
    *,
    cached: Mapping[ModelFile, Path],
    show_progress: bool,
    retries: Retries,
) -> None:
    """Put what is missing into its place: in the registry's order, from the cache where it is there."""
    staging = directory / STAGING_NAME
    # The checksum in the name: bytes of another revision are not gone on from.
    parts = {file: staging / f"{file.name}.{file.sha256[:16]}.part" for file in missing}
    fetched = [file for file in missing if file not in cached]
    with writing_to(directory):
        staging.mkdir(exist_ok=True)
        for stray in set(staging.iterdir()) - set(parts.values()):  # of another revision
            stray.unlink()
    n_there = sum(parts[file].stat().st_size for file in fetched if parts[file].exists())
    n_bytes = sum(file.size for file in fetched)
    require_space(directory, n_bytes - n_there)
    if fetched:
        n_text = size_text(n_bytes)
        logger.info(
            "%s is not in %s: downloading %s from %s", model.name, directory, n_text, model.repository
        )
    was_reached = False
    with _progress(n_bytes, n_there, show_progress and bool(fetched)) as (name_file, report):
        for file, part in parts.items():
            name_file(file.name)
            if file in cached:
                with writing_to(directory):
                    link_or_copy(cached[file], part)
            else:
                source = HubFile(str(model.repository), str(model.revision), file, directory)
                _fetch_verified(source, part, retries, report, was_reached=was_reached)
                was_reached = True
            with writing_to(directory):
                os.replace(part, directory / file.name)
    if cached:
        taken = size_text(sum(file.size for file in parts if file in cached))
        logger.info("took %s of %s from the Hub's cache", taken, model.name)
    if fetched:
        logger.info("downloaded %d files, %s, to %s", len(fetched), size_text(n_bytes), directory)


def _tidy(staging: Path) -> None:
    """Remove what an attempt left that was killed after its last renaming, where this user may."""
    if not staging.exists():
        return
    try:
        with directory_lock(staging.parent):
            shutil.rmtree(staging, ignore_errors=True)
    except (DirectoryNotWritableError, DiskFullError) as error:
        logger.debug("%s is left: %s", staging, error)


def _missing(model: KnownModel, files: Iterable[ModelFile], directory: Path) -> list[ModelFile]:
    """Those of `files` that are not in `directory`; the others are verified."""
    missing = []
    for file in files:
        path = directory / file.name
        try:
            require_plain_files([file], directory)
            state = file_state(file, directory, verify=not file.may_differ)
        except OSError as error:  # which a ModelError is not
            raise ModelError(f"{path} cannot be read: {error.strerror}") from error
        if state == "missing":
            missing.append(file)
        elif state == "differs" and not file.may_differ:
            raise ChecksumError(
                f"{path} is not the file that {model.name} has under this name ({file.size:,} bytes, "
                f"SHA-256 {file.sha256}). If it is a damaged copy, delete it and try again: it will be "
                "downloaded. If it belongs to another model, give another directory (--model-dir)"
            )
    return missing


def _fetch_verified(
    source: HubFile, part: Path, retries: Retries, report: Callable[[int], object], *, was_reached: bool
) -> None:
    """Fetch the file as `part`: every byte of it on the disk, and its checksum right."""
    file = source.file
    is_second = False
    while True:
        if part.exists() and part.stat().st_size > file.size:
            part.unlink()
        is_resumed = part.exists()
        n_answers = fetch(source, part, retries=retries, report=report, was_reached=was_reached)
        with writing_to(source.directory):
            actual = sha256_of(part)
            if actual == file.sha256:
                with part.open("rb+") as written:
                    os.fsync(written.fileno())  # a power cut after the renaming must not leave a hole
                return
            part.unlink()
        report(-file.size)
        if is_second or not (is_resumed or n_answers > 1):
            raise source.error(
                ChecksumError,
                f"{source.url} arrived whole, and is another file than expected: its SHA-256 is {actual}, "
                f"not {file.sha256}. It was thrown away; try again, or name another mirror (HF_ENDPOINT)",
            )
        logger.warning("%s: damaged, put together of several attempts; downloading it anew", file.name)
        is_second = True


@contextmanager
def _progress(
    total: int, initial: int, shown: bool
) -> Iterator[tuple[Callable[[str], object], Callable[[int], object]]]:
    """Progress bar over all bytes: a function that names the file in work, one that counts its bytes."""
    from huggingface_hub.utils import are_progress_bars_disabled
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    is_shown = shown and sys.stderr.isatty() and not are_progress_bars_disabled()
    with ExitStack() as stack:
        if is_shown:
            stack.enter_context(logging_redirect_tqdm())  # the log goes above the bar
        bar = stack.enter_context(
            tqdm(
                total=total,
                initial=initial,
                unit="B",
                unit_scale=True,
                disable=not is_shown,
                file=sys.stderr,
                dynamic_ncols=True,
            )
        )
        yield bar.set_description, bar.update
