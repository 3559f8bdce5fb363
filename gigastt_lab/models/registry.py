"""Registry of known models: their files, origins and directories."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gigastt_lab.errors import ModelError

DEFAULT_MODEL: Final = "gigaam-v3-e2e-rnnt"
DEMO_MODEL: Final = "gigaam-demo"
ALIASES: Final = {"demo": DEMO_MODEL}
MODEL_DIR_VARIABLE: Final = "GIGASTT_MODEL_DIR"
DEMO_DIRECTORY: Final = Path(__file__).parents[1] / "demo" / "model"
DEMO_CLIPS_DIRECTORY: Final = Path(__file__).parents[1] / "demo" / "clips"
CONFIG_NAME: Final = "config.json"


@dataclass(frozen=True)
class ModelFile:
    """One file of a known model.

    Attributes:
        name: File name in the repository and on disk.
        size: Size in bytes.
        sha256: Checksum of its content, 64 hexadecimal digits.
    """

    name: str
    size: int
    sha256: str

    @property
    def may_differ(self) -> bool:
        """True if another content serves as well: gigastt writes no config.json, our exports their own."""
        return self.name == CONFIG_NAME


@dataclass(frozen=True)
class KnownModel:
    """A model that this package can name, verify and, where it has a repository, download.

    Attributes:
        name: Name that `--model` takes.
        description: One line for people.
        licence: SPDX identifier.
        files: Files in the order in which a download puts them in place: the encoder last, because a
            directory without one does not load, and config.json before the graphs that it describes.
        repository: Repository on the Hugging Face Hub; None for a model that lies inside the package.
        revision: Commit of the repository.
        min_pause_ms: Length of a pause that ends a pass over a long recording. None: passes are as long as
            they may be, and overlap.
    """

    name: str
    description: str
    licence: str
    files: tuple[ModelFile, ...]
    repository: str | None = None
    revision: str | None = None
    min_pause_ms: int | None = None


def _files(table: str) -> tuple[ModelFile, ...]:
    """Files of a table of lines ``name size sha256``."""
    rows = [line.split() for line in table.strip().splitlines()]
    return tuple(ModelFile(name, int(size), sha256) for name, size, sha256 in rows)


# Checksums: gigastt 2.0.13, crates/gigastt-core/src/model/mod.rs; that of config.json and all sizes: two
# other public projects that pin the same revision, and agree with gigastt on the rest.
_GIGAAM_V3_FILES: Final = """
config.json                         135 0641fcf73f4af791c73f05083e38a658ff5dcbee3534a0c61396c10f4b97f0fe
v3_e2e_rnnt_vocab.txt             13354 39abae20e692998290c574e606f11a9edef2902a1995463fcff63d1490cf22b7
v3_e2e_rnnt_joint.onnx          2712896 602ff7017a93311aad34df1437c8d7f49911353c13d6eae7a6ee7b041339465c
v3_e2e_rnnt_decoder.onnx        4599910 7b0a16d67fd2cb37061decc93c69e364a9ab27afee3c57495d55b1c974cf7231
v3_e2e_rnnt_encoder.onnx      885084534 cd60b3764a832e8560ae6d3ad0b10adc1a42ffae412b9476f25620aae4f4a508
"""

_DEMO_FILES: Final = """
config.json                         127 5ad868b8818d576c384a397d12f349ffeeb4c4b51483519a7455eb6ffaa7345b
v3_e2e_rnnt_vocab.txt              1555 62884c2d54fab09d6301f7930ea743f819bed3780d7c8a2fec692e9d1f471316
v3_e2e_rnnt_joint.onnx           413800 d1f5c2f7b0468ef473f8322752026701cc5af406d5ec0742e6989f9ad71c9457
v3_e2e_rnnt_decoder.onnx        3535031 cb42acc15916e1b9c9f8bc926fbd4eb8da326f921450604abfc7795ab2603a8d
v3_e2e_rnnt_encoder.onnx        9526965 c508092356cada04d66f2a0b1f962218a8eb4e49e1928de92048c9b0bf04771e
v3_e2e_rnnt_encoder_int8.onnx   4216521 8a9024bb794f2f67174407ef704541b7dde43664eb86580be1033a92dff2367b
"""

KNOWN_MODELS: Final[dict[str, KnownModel]] = {
    DEFAULT_MODEL: KnownModel(
        DEFAULT_MODEL,
        "GigaAM v3, the real recogniser: 240 M parameters, punctuation, digits",
        licence="MIT",
        files=_files(_GIGAAM_V3_FILES),
        repository="istupakov/gigaam-v3-onnx",
        revision="322c3b29492673eb7d0b434bfa9dfb8653e34d02",
    ),
    DEMO_MODEL: KnownModel(
        DEMO_MODEL,
        "small model inside the package: 3 M parameters, trained on synthesized speech only",
        licence="MIT",
        files=_files(_DEMO_FILES),
        min_pause_ms=400,  # trained on utterances of a few seconds, it loses words where several share a pass
    ),
}


def canonical_name(model: str) -> str:
    """The full name of a model, `demo` read as `gigaam-demo`.

    Raises:
        ModelError: no such model is known.
    """
    name = ALIASES.get(model, model)
    if name not in KNOWN_MODELS:
        known = ", ".join((*KNOWN_MODELS, *ALIASES))
        raise ModelError(f"model {model!r} is not known; choose one of {known}")
    return name


def model_directory(model: str, model_dir: str | os.PathLike[str] | None = None) -> Path:
    """Directory where the files of `model` are, or are to be.

    Args:
        model: A name that `canonical_name` takes.
        model_dir: Directory before all others, unless it is empty. Else the demo model lies inside the
            package, and the others in `$GIGASTT_MODEL_DIR` or, as gigastt keeps them, in
            `~/.gigastt/models`. `~` stands for the home directory.

    Raises:
        ModelError: no such model is known, the user has no home directory, or something that is no
            directory is in the way.
    """
    name = canonical_name(model)
    if model_dir is None or os.fspath(model_dir) == "":
        if name == DEMO_MODEL:
            return DEMO_DIRECTORY
        model_dir = os.environ.get(MODEL_DIR_VARIABLE) or Path("~", ".gigastt", "models")
    try:
        directory = Path(model_dir).expanduser()
    except RuntimeError as error:  # a container's user without a name and without $HOME
        raise ModelError(
            f"there is no home directory for {str(model_dir)!r}, to keep {name} in; "
            f"set {MODEL_DIR_VARIABLE} or give model_dir (--model-dir), without ~"
        ) from error
    _require_directory(directory)
    return directory


def _require_directory(directory: Path) -> None:
    """Check that `directory` is one, or can be made as far as one sees without making it."""
    nearest = next((place for place in (directory, *directory.parents) if os.path.lexists(place)), None)
    if nearest is None:
        return
    try:
        is_directory = stat.S_ISDIR(nearest.stat().st_mode)
    except PermissionError:
        return  # a link to where this user may not look: whoever opens it says so
    except OSError:
        is_directory = False  # a link to nothing
    if not is_directory:
        what = "a link to nothing" if nearest.is_symlink() and not nearest.exists() else "not a directory"
        raise ModelError(f"{nearest} is {what}; give a directory (--model-dir or {MODEL_DIR_VARIABLE})")
