"""What the tests of downloads share: names, checks of a directory, a disk that is too small."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gigastt_lab.errors import ModelNotFoundError
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.registry import KnownModel
from tests.support.hub import Hub

ENCODER, VOCABULARY, CONFIG = "v3_e2e_rnnt_encoder.onnx", "v3_e2e_rnnt_vocab.txt", "config.json"
TOKEN = "hf_averysecrettoken"


def assert_complete(directory: Path, known: KnownModel) -> None:
    """All files, byte by byte, and nothing else but the lock."""
    names = sorted(path.name for path in directory.iterdir())
    assert [name for name in names if name != ".download.lock"] == sorted(file.name for file in known.files)
    for file in known.files:
        assert hashlib.sha256((directory / file.name).read_bytes()).hexdigest() == file.sha256
    ModelFiles.find(directory)


def assert_incomplete(directory: Path) -> None:
    """No encoder under its final name, so that nothing takes the directory for a model."""
    assert not (directory / ENCODER).exists()
    with pytest.raises(ModelNotFoundError):
        ModelFiles.find(directory)


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """Writing more fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def forget_connections() -> None:
    """Close the Hub client's session: it keeps connections, and what it once read of the environment."""
    from huggingface_hub import utils

    (getattr(utils, "close_session", None) or utils.reset_sessions)()


def fill_cache(
    hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch, *, revision: str | None = None
) -> Path:
    """Lay the model into a cache as the Hub's client keeps it; its snapshot of the model's revision."""
    assert hub.model.repository is not None
    folder = cache / f"models--{hub.model.repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / (revision or str(hub.model.revision))
    (folder / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for name, content in hub.files.items():
        blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / name).symlink_to(Path("..", "..", "blobs", blob.name))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return snapshot
