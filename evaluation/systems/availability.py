"""Checks before anything is measured: a system can start, and gets through a packaged clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluation.datasets.audio import as_wav
from evaluation.systems.base import System, SystemUnavailableError
from evaluation.systems.kinds import kind_of, peer_names
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import ProviderError
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.runtime.sessions import available_providers
from gigastt_lab.spec import GIGAAM_V3

if TYPE_CHECKING:
    from evaluation.systems.spec import SystemRequest


def require_available(spec: SystemRequest) -> None:
    """Raise where `spec` cannot start, as far as that shows without loading a model.

    Raises:
        SystemUnavailableError: a peer's package is not installed, or nobody listens at a server's address.
        ProviderError: this build of ONNX Runtime lacks the provider.
    """
    kind = kind_of(spec.kind)
    if kind.package is not None and not kind.package.is_installed:
        raise SystemUnavailableError(f"{spec.kind} is not installed: pip install {kind.package.distribution}")
    takes_provider = "provider" in kind.settings
    if takes_provider and spec.provider != "auto" and spec.provider not in available_providers():
        raise ProviderError(
            f"provider {spec.provider} is not in this build of ONNX Runtime, which has "
            f"{', '.join(available_providers())}"
        )
    kind.require(spec)


def peers_here() -> dict[str, str | None]:
    """Hindrance of each peer to run here, by its name: a command that helps, or an error; None of none."""
    return {name: _hindrance(name) for name in peer_names()}


def _hindrance(name: str) -> str | None:
    try:
        kind = kind_of(name)
    except SystemUnavailableError as error:
        return f"unavailable: {error}"
    if kind.package is None or kind.package.is_installed:
        return None
    return f"pip install {kind.package.distribution}"


def warm_up(system: System) -> str:
    """Put a short clip through a system, before any clock starts; two where it takes several at once.

    Returns:
        Number and length of the clips, for people.

    Raises:
        SystemUnavailableError: it fails on it.
    """
    clip = decode_audio(min(DEMO_CLIPS_DIRECTORY.glob("*.flac")))
    n_clips = min(2, system.batch_size)
    for outcome in system.transcribe([as_wav(clip)] * n_clips):
        if outcome.error is not None:
            raise SystemUnavailableError(
                f"{system.name} failed on a packaged clip, before anything was measured: {outcome.error}"
            )
    return f"{n_clips} x {len(clip) / GIGAAM_V3.sample_rate:.1f} s"
