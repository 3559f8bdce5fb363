"""The comparison of ways to quantize, on the demo model and one clip."""

from __future__ import annotations

import pytest

from evaluation.studies.quantization import main
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY

pytestmark = pytest.mark.slow


def test_errors_of_the_roundings_on_a_clip(capsys: pytest.CaptureFixture[str]) -> None:
    clip = sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac"))[3]
    products, nearest = "matmul", "matmul, rounded to nearest"
    weights, nearest_weights = "weights of matmul, in FP32", "the same, rounded to nearest"
    recipes = [products, nearest, weights, nearest_weights]
    arguments = [argument for recipe in recipes for argument in ("--recipe", recipe)]
    assert main([*arguments, "--clips", str(clip), "--repetitions", "0"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    assert head == ["recipe", "MB", "of FP32", "error, median", "error, largest"]
    assert [row[0] for row in rows] == ["FP32", *recipes]
    sizes, errors = ({row[0]: row[i] for row in rows} for i in (1, 3))
    assert sizes[products] == sizes[nearest] < sizes["FP32"] == sizes[weights]
    assert errors["FP32"] == "0.0000" < errors[weights] < errors[nearest_weights] < errors[nearest]
    assert errors[products] < errors[nearest]


def test_speed_stands_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recipe", "linear, rounded to nearest", "--repetitions", "1", "--threads", "1"]) == 0
    assert "RTFx, 4 s | RTFx, 16 s | times FP32, 4 s" in capsys.readouterr().out
