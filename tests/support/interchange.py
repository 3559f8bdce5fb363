"""Shows that model directories go from one program to another and back.

    python tests/support/interchange.py --model-dir DIR

DIR holds GigaAM's graphs in FP32, and our INT8 encoder (`python -m gigastt_lab quantize`). Needs the
packages `onnx-asr` and `gigastt`; one that is not installed is said to be skipped. Directories are made of
links, so nothing is copied and DIR stays as it is.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from gigastt_lab import load_engine
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.models.files import ENCODER_NAMES, PREFIX, VOCABULARY_NAME
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY

FP32, INT8 = (ENCODER_NAMES[precision][0] for precision in ("fp32", "int8"))
PREDICTOR, JOINER = f"{PREFIX}_decoder.onnx", f"{PREFIX}_joint.onnx"
CLIPS = sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac"))[:6]

# gigastt takes a vocabulary other than the official one only under names that a manifest gives.
MANIFEST = """architecture = "e2e_rnnt"

[files]
encoder = "other_encoder.onnx"
encoder_int8 = "other_encoder_int8.onnx"
decoder = "other_decoder.onnx"
joint = "other_joint.onnx"
vocab = "other_vocab.txt"
"""
# Its wheel is built against glibc 2.38; what it takes from there is what older ones call by plain names.
SHIM = """
#include <stdlib.h>
long __isoc23_strtol(const char *s, char **e, int b) { return strtol(s, e, b); }
long long __isoc23_strtoll(const char *s, char **e, int b) { return strtoll(s, e, b); }
unsigned long long __isoc23_strtoull(const char *s, char **e, int b) { return strtoull(s, e, b); }
"""
GIGASTT = """
import sys, wave
import gigastt_uniffi
engine = gigastt_uniffi.Engine.new_with_pool_size(sys.argv[1], 1)
for path in sys.argv[2:]:
    print(engine.transcribe_file(path).text)
"""

Texts = Callable[[], list[str]]
Layout = dict[str, str]  # name in the new directory -> name in the given one


def links(source: Path, target: Path, layout: Layout) -> Path:
    target.mkdir()
    for new, old in layout.items():
        (target / new).symlink_to((source / old).resolve())
    return target


def ours(directory: Path, precision: str) -> list[str]:
    engine = load_engine(model_dir=directory, precision=precision, provider="cpu")
    assert engine.info.precision == precision
    return [engine.transcribe(clip).text for clip in CLIPS]


def by_onnx_asr(directory: Path, quantization: str | None) -> list[str]:
    import onnx_asr

    model = onnx_asr.load_model(
        "gigaam-v3-e2e-rnnt", directory, quantization=quantization, providers=["CPUExecutionProvider"]
    )
    return [model.recognize(decode_audio(clip)) for clip in CLIPS]


def by_gigastt(directory: Path, folder: Path) -> list[str]:
    (directory / "manifest.toml").write_text(MANIFEST)
    environment = dict(os.environ)
    if tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split("."))) < (2, 38):
        (folder / "shim.c").write_text(SHIM)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", "shim.so", "shim.c"], cwd=folder, check=True)
        environment["LD_PRELOAD"] = str(folder / "shim.so")
    run = [sys.executable, "-c", GIGASTT, str(directory), *map(str, CLIPS)]
    return subprocess.run(
        run, env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def cases(
    source: Path, folder: Path
) -> dict[str, tuple[str, Callable[[], list[str]], Callable[[], list[str]]]]:
    """What is shown -> the package it needs, the texts, and ours for the same files."""
    everything = {name: name for name in (FP32, INT8, PREDICTOR, JOINER, VOCABULARY_NAME, "config.json")}
    other = {
        "other_encoder.onnx": FP32, "other_encoder_int8.onnx": INT8, "other_decoder.onnx": PREDICTOR,
        "other_joint.onnx": JOINER, "other_vocab.txt": VOCABULARY_NAME,
    }  # fmt: skip
    in_int8 = {
        f"{PREFIX}_encoder.int8.onnx": INT8, f"{PREFIX}_decoder.int8.onnx": PREDICTOR,
        f"{PREFIX}_joint.int8.onnx": JOINER, VOCABULARY_NAME: VOCABULARY_NAME, "config.json": "config.json",
    }  # fmt: skip
    of_gigastt = {name: name for name in (INT8, PREDICTOR, JOINER, VOCABULARY_NAME)}
    a, b, c, d = (
        links(source, folder / name, layout)
        for name, layout in zip("abcd", (everything, in_int8, other, of_gigastt), strict=True)
    )

    def int8() -> list[str]:
        return ours(a, "int8")

    return {
        "onnx-asr reads our directory, FP32": (
            "onnx_asr",
            lambda: by_onnx_asr(a, None),
            lambda: ours(a, "fp32"),
        ),
        "onnx-asr reads our INT8 encoder": ("onnx_asr", lambda: by_onnx_asr(b, "int8"), int8),
        "we read onnx-asr's INT8 layout": ("gigastt_lab", lambda: ours(b, "int8"), int8),
        "gigastt reads our INT8 encoder": ("gigastt_uniffi", lambda: by_gigastt(c, folder), int8),
        "we read gigastt's layout": ("gigastt_lab", lambda: ours(d, "int8"), int8),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model-dir", type=Path, required=True)
    options = parser.parse_args()
    is_whole = True
    with tempfile.TemporaryDirectory() as name:
        for what, (package, theirs, reference) in cases(options.model_dir, Path(name)).items():
            if importlib.util.find_spec(package) is None:
                sys.stdout.write(f"skipped  {what}: {package} is not installed\n")
                is_whole = False
                continue
            texts, expected = theirs(), reference()
            assert len(texts) == len(expected)
            assert all(texts)
            assert texts == expected or not what.startswith("we read"), what
            equal = sum(text == own for text, own in zip(texts, expected, strict=True))
            sys.stdout.write(f"loads    {what}: {equal} of {len(texts)} texts equal to ours\n")
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
