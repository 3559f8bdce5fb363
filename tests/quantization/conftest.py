"""INT8 encoders of the demo model, each made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from gigastt_lab.models.registry import DEMO_DIRECTORY
from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.quantization.int8_graph import Recipe
from gigastt_lab.quantization.quantize import Quantization, quantize_encoder

FP32 = DEMO_DIRECTORY / "v3_e2e_rnnt_encoder.onnx"
# The packaged clips that are calibrated on: all, every second one, none.
Speech = Literal["all", "half", "none"]
Quantized = Callable[[Recipe, Speech], tuple[Path, Quantization]]


@pytest.fixture(scope="session")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> Quantized:
    """The INT8 encoder by a recipe, and what was said of it; no test may change the file."""
    folder = tmp_path_factory.mktemp("quantized")
    made: dict[tuple[Recipe, Speech], tuple[Path, Quantization]] = {}

    def get(recipe: Recipe, speech: Speech) -> tuple[Path, Quantization]:
        if (recipe, speech) not in made:
            path = folder / f"{recipe}_{speech}_int8.onnx"
            clips = {"all": None, "half": sample_clips()[::2], "none": ()}[speech]
            made[recipe, speech] = path, quantize_encoder(FP32, path, recipe=recipe, calibration=clips)
        return made[recipe, speech]

    return get
