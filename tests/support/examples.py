"""Number of examples that hypothesis tries of a property: fewer in the quick run than in the whole one."""

import pytest
from hypothesis import settings

# No deadline: a neighbour may be busy.
settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)


def load_profile(config: pytest.Config) -> None:
    """Load the profile of this run, unless `--hypothesis-profile` names one."""
    if not config.getoption("--hypothesis-profile", None):
        settings.load_profile("quick" if config.getoption("-m") == "not slow" else "thorough")


def examples(n: int) -> int:
    """So many of `n` as the profile that is loaded wants: all of them, or three in ten."""
    return max(10, n * settings().max_examples // 100)
