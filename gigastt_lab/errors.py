"""Every error that this package raises on purpose: one root and a short tree."""


class GigasttError(Exception):
    """Root of the tree. The message says what was given, what is allowed and what to do."""


class AudioError(GigasttError, ValueError):
    """Audio that cannot be read, or is not audio."""


class AudioTooLongError(AudioError):
    """Audio longer than the limit that the caller set."""


class AudioNotFoundError(AudioError, FileNotFoundError):
    """No audio file at the given path."""


class ModelError(GigasttError):
    """A model directory that cannot be used: a broken, foreign or contradictory file."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """A model directory, or one of its files, that is not there."""


class ProviderError(ModelError, ValueError):
    """An execution provider that was asked for and is not available."""
