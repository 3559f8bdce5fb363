"""Quantization recipes beside one another: `python -m evaluation.studies.quantization --model-dir DIR`.

Our recipes and what others do, on one machine, in one interleaved run: size, error of the output, speed.
The tables of ``docs/quantization.md`` come from here. Ours are calibrated on the packaged clips; `--clips`
measures the error on speech that no weight was rounded for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pandas as pd
from onnx import NodeProto, helper, numpy_helper
from tqdm import tqdm

from evaluation.studies.encoders import add_model_dir, as_markdown, model_dir
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.graphs.weight_range import EIGHT_BITS, SEVEN_BITS
from gigastt_lab.models.files import ENCODER_NAMES
from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.quantization.comparison import Speed, measure_speed, relative_error
from gigastt_lab.quantization.gptq import quantize_weight
from gigastt_lab.quantization.quantize import quantize_encoder
from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.runtime.sessions import RuntimeOptions, load_session
from gigastt_lab.types import Float32Array

_Rewritten = tuple[list[NodeProto], dict[str, npt.NDArray[Any]]]


def matmul(source: Path, target: Path) -> None:
    """Ours: dynamic, symmetric QInt8 weights per output channel, MatMul only."""
    quantize_encoder(source, target, recipe="matmul")


def gate(source: Path, target: Path) -> None:
    """Ours: `matmul`, and the gates of the convolution modules."""
    quantize_encoder(source, target, recipe="gate")


def linear(source: Path, target: Path) -> None:
    """Ours: `matmul`, and convolutions of kernel 1 as MatMul."""
    quantize_encoder(source, target, recipe="linear")


def eight_bits(source: Path, target: Path) -> None:
    """`gate` with pairs of any size: saturates without VNNI."""
    quantize_encoder(source, target, recipe="gate", allowed=EIGHT_BITS)


def seven_bits(source: Path, target: Path) -> None:
    """`gate` with weights in [-64, 64]."""
    quantize_encoder(source, target, recipe="gate", allowed=SEVEN_BITS)


def nearest_matmul(source: Path, target: Path) -> None:
    """`matmul` without calibration."""
    quantize_encoder(source, target, recipe="matmul", calibration=())


def nearest_linear(source: Path, target: Path) -> None:
    """`linear` without calibration."""
    quantize_encoder(source, target, recipe="linear", calibration=())


def unsigned_weights(source: Path, target: Path) -> None:
    """ONNX Runtime's tool: as `matmul`, but QUInt8 weights."""
    _ort_dynamic(source, target, weight_type="QUInt8", op_types=["MatMul"])


def integer_convolutions(source: Path, target: Path) -> None:
    """ONNX Runtime's tool: every MatMul and convolution (ConvInteger)."""
    _ort_dynamic(source, target, weight_type="QUInt8", op_types=["MatMul", "Conv"])


def rounded_weights(source: Path, target: Path) -> None:
    """The weights of `matmul` written as FP32 again: what rounding them alone costs, activations exact."""
    _write_int8_weights_as_fp32(source, target, matmul)


def nearest_weights(source: Path, target: Path) -> None:
    """The weights of `nearest_matmul` written as FP32 again."""
    _write_int8_weights_as_fp32(source, target, nearest_matmul)


def weight_only(source: Path, target: Path) -> None:
    """INT8 weights behind DequantizeLinear, as gigastt 2.0 writes them.

    ONNX Runtime 1.32 fuses this into MatMulNBits with blocks of 32, whose activations are INT8, too; older
    ones fold it back to FP32.
    """

    def rewrite(node: NodeProto, weight: Float32Array) -> _Rewritten:
        integers, scales = quantize_weight(weight, EIGHT_BITS)
        names = [f"{node.output[0]}_{part}" for part in ("int8", "scales", "fp32")]
        return [
            helper.make_node("DequantizeLinear", names[:2], names[2:], axis=1),
            helper.make_node("MatMul", [node.input[0], names[2]], node.output),
        ], {names[0]: integers, names[1]: scales}

    _rewrite_matmuls(source, target, rewrite)


def blockwise(source: Path, target: Path) -> None:
    """MatMulNBits of ONNX Runtime: 8 bits, one scale per 128 inputs, activations in INT8 blocks as well."""
    size = 128

    def rewrite(node: NodeProto, weight: Float32Array) -> _Rewritten:
        n_in, n_out = weight.shape
        blocks = weight.T.reshape(n_out, n_in // size, size)
        scales = np.abs(blocks).max(axis=2) / np.float32(127)
        integers = (np.rint(blocks / scales[..., None]) + 128).astype(np.uint8)
        names = [f"{node.output[0]}_{part}" for part in ("int8", "scales")]
        product = helper.make_node(
            "MatMulNBits", [node.input[0], *names], node.output, domain="com.microsoft",
            K=n_in, N=n_out, bits=8, block_size=size, accuracy_level=4,
        )  # fmt: skip
        return [product], {names[0]: integers, names[1]: scales.ravel()}

    _rewrite_matmuls(source, target, rewrite)


RECIPES: dict[str, Callable[[Path, Path], None]] = {
    "matmul": matmul,
    "gate": gate,
    "linear": linear,
    "gate, eight bits": eight_bits,
    "gate, seven bits": seven_bits,
    "matmul, rounded to nearest": nearest_matmul,
    "linear, rounded to nearest": nearest_linear,
    "QUInt8 weights": unsigned_weights,
    "with ConvInteger": integer_convolutions,
    "weights of matmul, in FP32": rounded_weights,
    "the same, rounded to nearest": nearest_weights,
    "DequantizeLinear weights": weight_only,
    "MatMulNBits, blocks of 128": blockwise,
}


def compare(
    source: Path,
    recipes: Sequence[str],
    *,
    clips: Sequence[Float32Array] | None = None,
    threads: int | None = None,
    repetitions: int = 9,
) -> pd.DataFrame:
    """One row per recipe: size, output error over some clips, RTFx at 4 and 16 s, times FP32.

    Args:
        source: FP32 encoder.
        recipes: Keys of `RECIPES`.
        clips: Utterances at 16 kHz, each of shape (n_samples,); None takes the packaged ones.
        threads: Threads of every encoder; None takes `runtime.cores.default_threads`.
        repetitions: Timed rounds for each length; with 0 the speed is not measured.
    """
    clips = sample_clips() if clips is None else clips
    runtime = RuntimeOptions(provider="cpu", threads=threads)
    with tempfile.TemporaryDirectory() as folder, tqdm(total=3 * len(recipes) + 2 * repetitions) as bar:
        paths = [source]
        for i, recipe in enumerate(recipes):
            bar.set_description(f"quantizing: {recipe}")
            paths.append(Path(folder) / f"{i}_int8.onnx")
            RECIPES[recipe](source, paths[-1])
            bar.update()
        encoders = [Encoder(load_session(path, runtime)) for path in paths]
        errors = [[0.0]]
        for recipe, encoder in zip(recipes, encoders[1:], strict=True):
            bar.set_description(f"error: {recipe}")
            errors.append([relative_error(encoders[0], encoder, clip) for clip in clips])
            bar.update(2)
        speeds: list[Speed] = []
        for audio_s in (4.0, 16.0) if repetitions else ():
            bar.set_description(f"speed at {audio_s:g} s")
            rounds = []
            for so_far in measure_speed(encoders, audio_s, repetitions=repetitions, clips=clips):
                rounds.append(so_far)
                bar.update()
            speeds.append(rounds[-1])
        sizes = [path.stat().st_size for path in paths]
    rows = {
        name: {
            "MB": round(sizes[i] / 1e6, 1),
            "of FP32": f"{sizes[i] / sizes[0]:.1%}",
            "error, median": f"{np.median(errors[i]):.4f}",
            "error, largest": f"{max(errors[i]):.4f}",
            **{f"RTFx, {speed.audio_s:g} s": round(speed.rtfx(i), 1) for speed in speeds},
            **{f"times FP32, {speed.audio_s:g} s": round(speed.speedup(i), 2) for speed in speeds},
        }
        for i, name in enumerate(["FP32", *recipes])
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("recipe")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.studies.quantization", description=__doc__)
    add_model_dir(parser)
    parser.add_argument("--recipe", action="append", choices=RECIPES, help="repeatable; default: all")
    parser.add_argument("--clips", type=Path, nargs="+", metavar="FILE", help="default: the packaged clips")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--repetitions", type=int, default=9, help="default: 9; 0 measures no speed")
    options = parser.parse_args(arguments)
    table = compare(
        model_dir(options) / ENCODER_NAMES["fp32"][0], options.recipe or list(RECIPES),
        clips=[decode_audio(path) for path in options.clips] if options.clips else None,
        threads=options.threads, repetitions=options.repetitions,
    )  # fmt: skip
    sys.stdout.write(as_markdown(table) + f"\nONNX Runtime {onnxruntime.__version__}\n")
    return 0


def _write_int8_weights_as_fp32(source: Path, target: Path, quantize: Callable[[Path, Path], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        quantize(source, path)
        int8 = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}

    def rewrite(node: NodeProto, _: Float32Array) -> _Rewritten:
        name = f"{node.output[0]}_rounded"
        product = helper.make_node("MatMul", [node.input[0], name], node.output)
        integers, scales = (int8[f"{node.input[1]}_{part}"] for part in ("quantized", "scales"))
        return [product], {name: (integers * scales).astype(np.float32)}

    _rewrite_matmuls(source, target, rewrite)


def _rewrite_matmuls(
    source: Path, target: Path, rewrite: Callable[[NodeProto, Float32Array], _Rewritten]
) -> None:
    """Replace every MatMul with a constant weight by what `rewrite` gives: nodes, and their constants."""
    model = onnx.load(source)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        weight = weights.get(node.input[1]) if node.op_type == "MatMul" else None
        if weight is None or len(weight.dims) != 2:
            nodes.append(node)
            continue
        new_nodes, constants = rewrite(node, np.asarray(numpy_helper.to_array(weight), np.float32))
        nodes += new_nodes
        model.graph.initializer.extend(
            numpy_helper.from_array(array, name) for name, array in constants.items()
        )
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    read = {name for node in nodes for name in node.input}
    for i in reversed(range(len(model.graph.initializer))):
        if model.graph.initializer[i].name not in read:
            del model.graph.initializer[i]
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, target)


def _ort_dynamic(source: Path, target: Path, *, weight_type: str, op_types: list[str]) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantize_dynamic(
            source,
            target,
            per_channel=True,
            weight_type=QuantType[weight_type],
            op_types_to_quantize=op_types,
        )


if __name__ == "__main__":
    sys.exit(main())
