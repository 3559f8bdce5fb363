"""`quantize`: the FP32 encoder of a model directory -> its INT8 encoder, and what that changed."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from gigastt_lab.commands.options import add_model, add_model_dir, new_parser
from gigastt_lab.errors import ModelExistsError
from gigastt_lab.exit_codes import ExitCode, epilog, for_terminal
from gigastt_lab.models import registry as models
from gigastt_lab.models.files import ENCODER_NAMES
from gigastt_lab.quantization.int8_graph import DEFAULT_RECIPE, Recipe
from gigastt_lab.runtime.cores import DEFAULT_THREADS

if TYPE_CHECKING:
    from gigastt_lab.commands.options import Subparsers
    from gigastt_lab.quantization.comparison import Speed
    from gigastt_lab.quantization.quantize import Quantization
    from gigastt_lab.types import Float32Array

logger = logging.getLogger(__name__)

_AUDIO_S = (4.0, 16.0)  # an utterance, and a long one
_REPETITIONS = 7
_EPILOG = epilog(
    [
        ExitCode.OK,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.MODEL,
        ExitCode.NOT_WRITABLE,
        ExitCode.DISK_FULL,
        ExitCode.INTERRUPTED,
    ],
    failed="an INT8 encoder is there already, and --force is not given; a file to calibrate on is no audio",
    model="no such model, no FP32 encoder, or nothing in it to quantize",
)


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser = new_parser(
        commands, "quantize", summary="make the INT8 encoder of a model", epilog=_EPILOG,
        description="Writes the INT8 encoder beside the FP32 one; reports size, error and speed on stdout.",
    )  # fmt: skip
    add_model(parser)
    add_model_dir(parser)
    add = parser.add_argument
    add("--recipe", choices=get_args(Recipe), default=DEFAULT_RECIPE,
        help="matmul: matrix products; gate (default): the gates of the convolution modules as well, smaller "
        "and faster; linear: all convolutions of kernel 1, with a larger error")  # fmt: skip
    rounding = parser.add_mutually_exclusive_group()
    rounding.add_argument("--calibrate-on", nargs="+", type=Path, metavar="FILE",
        help="audio files: weights are rounded so that the encoder's products move least on this speech, and "
        "(gate, linear) channels evened out; a minute or two is enough "
        "(default: the 24 packaged clips)")  # fmt: skip
    rounding.add_argument("--no-calibration", action="store_true",
        help="round weights to the nearest integer, even out nothing: quicker, a larger error")  # fmt: skip
    add("--force", action="store_true", help="replace an INT8 encoder that is there")
    add("--threads", type=int, metavar="N",
        help=f"threads of the speed test (default: {DEFAULT_THREADS})")  # fmt: skip
    add("--no-report", action="store_true", help="measure neither error nor speed")
    return parser


def run(options: argparse.Namespace) -> int:
    """Quantize, and print the report."""
    if options.threads is not None and options.threads < 1:
        options.parser.error(f"--threads {options.threads}: give 1 or more")
    from gigastt_lab.quantization.quantize import is_exact_everywhere, quantize_encoder

    directory = models.model_directory(options.model, options.model_dir)
    source = directory / ENCODER_NAMES["fp32"][0]
    target = directory / ENCODER_NAMES["int8"][0]
    try:
        done = quantize_encoder(
            source,
            target,
            recipe=options.recipe,
            calibration=_speech(options),
            overwrite=options.force,
            show_progress=sys.stderr.isatty(),
        )
    except ModelExistsError as error:
        how = "give --force to replace it"
        if not is_exact_everywhere(target):
            how += (
                " by one that is exact on every processor; its weights are too large for those without VNNI"
            )
        logger.error("%s; %s", error, how)
        return ExitCode.FAILED
    sys.stdout.write(for_terminal(_summary(done, source, target)))
    sys.stdout.flush()
    if not options.no_report:
        on_sample_clips = options.calibrate_on is None and not options.no_calibration
        told = _comparison(source, target, options.threads, on_sample_clips=on_sample_clips)
        sys.stdout.write(for_terminal(told))
    return ExitCode.OK


def _speech(options: argparse.Namespace) -> list[Float32Array] | None:
    """Speech to calibrate on; None for the packaged clips, nothing for rounding to nearest."""
    if options.calibrate_on is None:
        return [] if options.no_calibration else None
    from gigastt_lab.audio.reading import decode_audio

    return [decode_audio(path) for path in options.calibrate_on]


def _summary(done: Quantization, source: Path, target: Path) -> str:
    """Summary: tensors and bytes."""
    quantized, kept = (sum(weight.n_parameters for weight in group) for group in (done.quantized, done.kept))
    share = done.bytes_after / done.bytes_before
    return (
        f"recipe    {done.recipe}\n"
        f"rounding  {done.rounding}\n"
        f"from      {source}  {done.bytes_before / 1e6:,.1f} MB\n"
        f"to        {target}  {done.bytes_after / 1e6:,.1f} MB ({share:.1%})\n"
        f"INT8      {len(done.quantized)} weights, {quantized / 1e6:,.1f} million numbers\n"
        f"FP32      {len(done.kept)} weights kept, {kept / 1e6:,.1f} million numbers\n"
    )


def _comparison(source: Path, target: Path, threads: int | None, *, on_sample_clips: bool) -> str:
    """Error of the output and speed, measured here and now.

    Args:
        source: The FP32 encoder.
        target: The INT8 encoder.
        threads: Threads of both encoders.
        on_sample_clips: True if the weights were rounded for the clips that the error is measured on.
    """
    # They load ONNX Runtime, which `--help` and errors should not wait for.
    import onnxruntime
    from tqdm import tqdm

    from gigastt_lab.quantization.calibration import sample_clips
    from gigastt_lab.quantization.comparison import encoder_at, measure_speed, relative_error

    fp32, int8 = (encoder_at(path, threads) for path in (source, target))
    clips = sample_clips()
    with tqdm(
        total=len(clips) + len(_AUDIO_S) * _REPETITIONS, desc="comparing", disable=None, dynamic_ncols=True
    ) as bar:
        errors = []
        for clip in clips:
            errors.append(relative_error(fp32, int8, clip))
            bar.update()
        speeds: list[Speed] = []
        for audio_s in _AUDIO_S:
            rounds = []
            for so_far in measure_speed((fp32, int8), audio_s, repetitions=_REPETITIONS, clips=clips):
                rounds.append(so_far)
                bar.update()
            speeds.append(rounds[-1])
    known = ", the ones calibrated on" if on_sample_clips else ""
    lines = [
        f"error     of the output, relative L2, {len(clips)} sample clips{known}: "
        f"median {np.median(errors):.4f}, largest {max(errors):.4f}",
        *(
            f"speed     {speed.audio_s:4.0f} s of audio: FP32 {speed.rtfx(0):5.1f}x real time, "
            f"INT8 {speed.rtfx(1):5.1f}x, {speed.speedup(1):.2f} times as fast"
            for speed in speeds
        ),
        f"measured  encoder alone, cpu, {fp32.session.threads} threads, ONNX Runtime "
        f"{onnxruntime.__version__}, medians of {_REPETITIONS} in turn",
    ]
    return "\n".join(lines) + "\n"
