"""Errors that this package raises on purpose: one root and a short tree."""


class GigasttError(Exception):
    """Root of the tree. The message says what was given, what is allowed and what to do."""


class AudioError(GigasttError, ValueError):
    """Audio that cannot be read, or is not audio."""


class AudioTooLongError(AudioError):
    """Audio longer than the limit that the caller set."""


class AudioNotFoundError(AudioError, FileNotFoundError):
    """No audio file at the given path."""


class ManifestError(GigasttError, ValueError):
    """A manifest of audio files that cannot be read: which line, what is wrong, what to do."""


class ModelError(GigasttError):
    """A model directory that cannot be used: a broken, foreign or contradictory file."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """A model directory, or one of its files, that is not there."""


class ProviderError(ModelError, ValueError):
    """An execution provider that was asked for and is not available."""


class DownloadError(ModelError):
    """A model that could not be downloaded; what is there of it is kept for the next attempt."""


class HubUnreachableError(DownloadError, ConnectionError):
    """No network, offline mode, or a Hub that gave no usable answer however often it was asked."""


class HubRefusedError(DownloadError, PermissionError):
    """A repository that the Hub does not let this user read: a token is missing, wrong or not enough."""


class HubMissingError(DownloadError, FileNotFoundError):
    """A repository, revision or file that the Hub does not have."""


class ChecksumError(DownloadError, ValueError):
    """A file whose size or SHA-256 is not that of the known model."""


class DirectoryNotWritableError(DownloadError, PermissionError):
    """A model directory that cannot be made or written to."""


class DiskFullError(DownloadError, OSError):
    """No space, quota or permitted file size left for a model."""


class ModelExistsError(ModelError, FileExistsError):
    """A model file that would be overwritten."""


class NothingToQuantizeError(ModelError):
    """A graph without a weight that can be quantized."""


class WorkCancelledError(GigasttError):
    """Work that was called off from another thread (`runtime.cancellation`)."""


def brief(error: Exception) -> str:
    """Class and first line of an error."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
