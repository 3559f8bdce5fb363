"""The Hub's own cache: files of a model that another program has fetched already.

transformers, onnx-asr and `hf download` keep files there (`HF_HOME`, `HF_HUB_CACHE`). What is there need not
be fetched again, and is there without a network.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from gigastt_lab.models.registry import ModelFile
from gigastt_lab.models.storage import sha256_of

logger = logging.getLogger(__name__)


def in_cache(repository: str, file: ModelFile) -> Path | None:
    """Path of the file in the cache, whole and with the right checksum, of whatever revision; else None.

    Args:
        repository: ``owner/name`` on the Hub.
        file: Name, size and checksum.
    """
    try:
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name
    except (ImportError, ValueError, OSError) as error:  # a variable of its that cannot be: named later
        logger.debug("the Hub's cache is not looked at: %s", error)
        return None
    folder = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=repository, repo_type="model"))
    for path in sorted(folder.glob(f"snapshots/*/{file.name}")):
        try:
            real = path.resolve(strict=True)  # most are links into `blobs`
            if real.stat().st_size == file.size and sha256_of(real) == file.sha256:
                return real
            logger.debug("%s is another file than expected, and not taken", path)
        except OSError as error:
            logger.debug("%s is in the Hub's cache and cannot be read: %s", path, error)
    return None


def link_or_copy(source: Path, target: Path) -> None:
    """Give `source` a second name, which takes no room; on another file system, copy it.

    Raises:
        OSError: neither could be done.
    """
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
