"""Known models, and where their directories are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gigastt_lab.errors import ModelError

DEFAULT_MODEL: Final = "gigaam-v3-e2e-rnnt"
DEMO_MODEL: Final = "gigaam-demo"
ALIASES: Final = {"demo": DEMO_MODEL}
MODEL_DIR_VARIABLE: Final = "GIGASTT_MODEL_DIR"
DEMO_DIRECTORY: Final = Path(__file__).parent / "demo" / "model"
DEMO_CLIPS_DIRECTORY: Final = Path(__file__).parent / "demo" / "clips"


def canonical_name(model: str) -> str:
    """The full name of a model, `demo` read as `gigaam-demo`.

    Raises:
        ModelError: no such model is known.
    """
    name = ALIASES.get(model, model)
    if name not in (DEFAULT_MODEL, DEMO_MODEL):
        known = ", ".join((DEFAULT_MODEL, DEMO_MODEL, *ALIASES))
        raise ModelError(f"model {model!r} is not known; choose one of {known}")
    return name


def model_directory(model: str, model_dir: str | os.PathLike[str] | None = None) -> Path:
    """Where the files of `model` are, or are to be.

    Args:
        model: A name that `canonical_name` takes.
        model_dir: Overrides every other place. Else the demo model lies inside the package, and the
            others in `$GIGASTT_MODEL_DIR` or, as gigastt keeps them, in `~/.gigastt/models`.

    Raises:
        ModelError: no such model is known, or the user has no home directory.
    """
    name = canonical_name(model)
    if model_dir is not None:
        return Path(model_dir)
    if name == DEMO_MODEL:
        return DEMO_DIRECTORY
    from_environment = os.environ.get(MODEL_DIR_VARIABLE)
    if from_environment:
        return Path(from_environment)
    try:
        return Path.home() / ".gigastt" / "models"
    except RuntimeError as error:  # a container's user without a name and without $HOME
        raise ModelError(
            f"this user has no home directory to keep {name} in; set {MODEL_DIR_VARIABLE} or give model_dir"
        ) from error
