"""Tests of the training code run where its extra is installed."""

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install gigastt-lab[training]")
