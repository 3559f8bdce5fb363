"""The same on other processors: `probe.py`, run by QEMU as one that ends at AVX2, and as one without AVX.

QEMU translates instructions, so that it says nothing about speed.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gigastt_lab.graphs.weight_range import EIGHT_BITS
from gigastt_lab.models.files import ENCODER_NAMES
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY, DEMO_DIRECTORY
from gigastt_lab.quantization.quantize import quantize_encoder

PROBE = Path(__file__).with_name("probe.py")
CLIP = DEMO_CLIPS_DIRECTORY / "clip_00_assistant_espeak-ng.flac"
pytestmark = pytest.mark.skipif(
    os.environ.get("GIGASTT_TEST_QEMU") != "1" or platform.machine() != "x86_64",
    reason="half a minute: GIGASTT_TEST_QEMU=1 runs it, on x86-64 with Debian's qemu-user",
)

# Haswell adds pairs of products in 16 bits, as do all from AVX2 to VNNI; Nehalem has other kernels.
PROCESSORS = ("here", "Haswell", "Nehalem")

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Answer]]:
    """What the probe says on each processor; two are run at once."""
    folder = tmp_path_factory.mktemp("processors")
    old = folder / "old"
    shutil.copytree(DEMO_DIRECTORY, old)
    source, target = (old / ENCODER_NAMES[precision][0] for precision in ("fp32", "int8"))
    quantize_encoder(source, target, calibration=(), allowed=EIGHT_BITS, overwrite=True)
    with ThreadPoolExecutor(2) as pool:
        answered = pool.map(lambda processor: asked(processor, folder / processor, old), PROCESSORS)
        yield dict(zip(PROCESSORS, answered, strict=True))


def asked(processor: str, folder: Path, old_model: Path) -> Answer:
    """Ask the probe. With a cache of its own: QEMU does not hide the host's list of features."""
    folder.mkdir()
    python = folder / "python"
    emulated = f"qemu-x86_64 -cpu {processor} " if processor != "here" else ""
    python.write_text(f'#!/bin/sh\nexec {emulated}{sys.executable} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    environment = os.environ | {"PROBE_PYTHON": str(python), "GIGASTT_LAB_CACHE": str(folder / "cache")}
    if processor != "here":  # OpenBLAS, which takes Haswell's kernels under some versions of QEMU's Nehalem
        environment["OPENBLAS_CORETYPE"] = processor
    ran = subprocess.run(
        [python, PROBE, CLIP, old_model], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answer: Answer = json.loads(ran.stdout)
    return answer


@pytest.mark.parametrize("processor", PROCESSORS)
def test_products_are_exact(answers: dict[str, Answer], processor: str) -> None:
    answer = answers[processor]
    assert answer["right"]
    assert answer["wrong products"] == []


def test_haswell_saturates_and_nehalem_does_not(answers: dict[str, Answer]) -> None:
    assert {name: answers[name]["exact"] for name in ("Haswell", "Nehalem")} == {
        "Haswell": False,
        "Nehalem": True,
    }


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("which", ["fp32", "int8", "auto", "old, int8", "old, auto"])
def test_a_clip_has_the_text_that_it_has_here(answers: dict[str, Answer], processor: str, which: str) -> None:
    assert answers[processor][which]["text"] == answers["here"]["fp32"]["text"] != ""


@pytest.mark.parametrize("processor", PROCESSORS)
def test_auto_takes_int8_where_it_is_faster(answers: dict[str, Answer], processor: str) -> None:
    answer = answers[processor]
    assert answer["auto"]["precision"] == ("int8" if answer["faster"] else "fp32")
    assert answer["auto"]["warnings"] == answer["int8"]["warnings"] == []


@pytest.mark.parametrize("processor", PROCESSORS)
def test_old_encoders_are_warned_of_where_they_would_saturate(
    answers: dict[str, Answer], processor: str
) -> None:
    answer = answers[processor]
    by_name, chosen = answer["old, int8"], answer["old, auto"]
    assert by_name["precision"] == "int8"
    if answer["exact"]:
        assert by_name["warnings"] == chosen["warnings"] == []
        return
    assert chosen["precision"] == "fp32"
    told = [(by_name, "runs exactly, but slower")]
    if answer["faster"]:  # else it would not be taken anyway
        told.append((chosen, "FP32 is taken instead"))
    for one, what in told:
        (warning,) = one["warnings"]
        assert what in warning
        assert "python -m gigastt_lab quantize" in warning
