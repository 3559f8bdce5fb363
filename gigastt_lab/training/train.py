"""The training loop: two processes that share gradients, a schedule in wall-clock time.

Stages (measured: RNN-T or piece CTC from scratch sit on a plateau for hours; this leaves it in 200 steps):
characters at the middle layer on short clips, then pieces over all layers, then RNN-T with both beside it.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
import torch.distributed
from torch import Tensor
from torch.multiprocessing.spawn import start_processes
from tqdm import tqdm

from gigastt_lab.errors import ModelError
from gigastt_lab.models.files import VOCABULARY_NAME
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.training.architecture import ModelConfig, Transducer
from gigastt_lab.training.augment import AugmentOptions
from gigastt_lab.training.batches import Batches, BatchOptions
from gigastt_lab.training.corpus import Corpus
from gigastt_lab.training.export import read_weights
from gigastt_lab.training.objective import Weights, loss
from gigastt_lab.training.pieces import CHARACTERS, Pieces, learn, write_vocabulary
from gigastt_lab.training.precision import training_dtype

logger = logging.getLogger(__name__)

CHECKPOINT_FILE = "checkpoint.pt"
_CLIP_NORM = 5.0
_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}"


@dataclass(frozen=True)
class TrainOptions:
    """One training run.

    Attributes:
        minutes: Wall-clock length in minutes; the learning rate's schedule follows it.
        processes: Processes that train side by side, one thread each.
        learning_rate: Highest rate of AdamW.
        constant_share: Share of the time before the rate decays linearly to zero.
        warmup_steps: Steps of linear warm-up.
        curriculum: False goes straight to the last stage, for weights that were trained before.
        checkpoint_minutes: Minutes between checkpoints and validations.
        seed: Seed of batches and augmentation.
    """

    minutes: float
    processes: int = 2
    learning_rate: float = 2e-3
    constant_share: float = 0.4
    warmup_steps: int = 100
    curriculum: bool = True
    checkpoint_minutes: float = 6.0
    seed: int = 0


def train(
    config: ModelConfig, corpus: Path, out: Path, options: TrainOptions, initial: Path | None = None
) -> None:
    """Train on the corpus directory; checkpoints, pieces and a log go to `out`.

    Args:
        config: Sizes of the network; `n_tokens` fixes how many pieces are learned.
        corpus: Corpus directory made by `corpus.build`.
        out: Directory to write to.
        options: Length and learning rates.
        initial: Model directory in GigaAM's layout to start from: its weights and its pieces.

    Raises:
        ModelError: `initial` is a model of another size.
        OSError: the corpus is not there.
        torch.multiprocessing.ProcessRaisedException: a process failed; it holds the traceback.
    """
    out.mkdir(parents=True, exist_ok=True)
    vocabulary = out / VOCABULARY_NAME
    if initial is not None:
        n_pieces = len(Tokenizer.from_file(initial / VOCABULARY_NAME))
        if n_pieces != config.n_tokens:
            raise ModelError(
                f"{initial} has {n_pieces} pieces, this size has {config.n_tokens}; give another --size"
            )
        if initial.resolve() != out.resolve():
            shutil.copyfile(initial / VOCABULARY_NAME, vocabulary)
    else:
        texts = (entry.written for entry in Corpus(corpus).select("train"))
        write_vocabulary(learn(texts, config.n_tokens - 1), vocabulary)
    job = _Job(config, corpus, out, options, initial, training_dtype(), out / f"rendezvous-{time.time_ns()}")
    try:
        start_processes(_worker, (job,), nprocs=options.processes, start_method="spawn")  # type: ignore[no-untyped-call]
    finally:
        job.rendezvous.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Job:
    """Job of every process of one run; see `train`."""

    config: ModelConfig
    corpus: Path
    out: Path
    options: TrainOptions
    initial: Path | None
    dtype: torch.dtype
    rendezvous: Path  # where the processes find each other


def stage(step: int, *, curriculum: bool) -> tuple[Weights, BatchOptions, AugmentOptions]:
    """Losses, batches and augmentation at a step of the curriculum."""
    if curriculum and step < 1000:
        changed = AugmentOptions(share=0.3 if step < 900 else 1.0)
        return Weights(0.0, 0.0, 1.0), BatchOptions(longest_s=3.3, padded=0.1), changed
    if curriculum and step < 1100:
        return Weights(0.0, 1.0, 0.3), BatchOptions(longest_s=6.0), AugmentOptions()
    joined = 0.12 if step > 2500 or not curriculum else 0.0
    return Weights(1.0, 0.3, 0.3), BatchOptions(joined=joined), AugmentOptions()


def learning_rate(step: int, progress: float, options: TrainOptions) -> float:
    """Warm-up by steps, constant, then linear decay by time. `progress` in [0, 1]."""
    warm = min(1.0, (step + 1) / options.warmup_steps)
    decay = min(1.0, (1.0 - progress) / (1.0 - options.constant_share))
    return options.learning_rate * warm * max(decay, 0.0)


def feature_statistics(corpus: Corpus, n_utterances: int = 400) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each mel filter over some training utterances. (n_mels,) each."""
    entries = corpus.select("train")
    chosen = entries[:: max(1, len(entries) // n_utterances)]
    features = np.concatenate([log_mel(corpus.waveform(entry)) for entry in chosen], axis=1)
    return torch.from_numpy(features.mean(axis=1)), torch.from_numpy(features.std(axis=1))


def _worker(rank: int, job: _Job) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{job.rendezvous}", rank=rank, world_size=job.options.processes
    )
    torch.manual_seed(job.options.seed)  # the same weights in every process
    corpus = Corpus(job.corpus)
    model = Transducer(job.config, n_characters=len(CHARACTERS) + 1)
    mean, deviation = feature_statistics(corpus)
    model.encoder.subsampling.mean.copy_(mean)
    model.encoder.subsampling.deviation.copy_(deviation)
    if job.initial is not None:
        read_weights(model, job.initial, mean, deviation)
    pieces = Pieces(job.out / VOCABULARY_NAME)
    _loop(model, Batches(corpus, pieces, mean.numpy(), seed=job.options.seed * 1000 + rank), job, rank)
    torch.distributed.destroy_process_group()


def _loop(model: Transducer, batches: Batches, job: _Job, rank: int) -> None:
    options, out = job.options, job.out
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=options.learning_rate, betas=(0.9, 0.98), weight_decay=1e-3, fused=True
    )
    started, saved, progress, step, seconds, mean_loss = time.monotonic(), time.monotonic(), 0.0, 0, 0.0, 0.0
    bar = tqdm(total=100, desc="training", unit="%", disable=rank > 0, bar_format=_BAR)
    while progress < 1.0:
        weights, batch_options, augmentation = stage(step, curriculum=options.curriculum)
        batch = batches.next(batch_options, augmentation)
        with torch.autocast("cpu", dtype=job.dtype, enabled=job.dtype is not torch.float32):
            value = loss(model, batch, weights)
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        elapsed = (time.monotonic() - started) / (options.minutes * 60.0)
        progress = _average_gradients(model, elapsed)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP_NORM)
        if not torch.isfinite(norm):  # the same in every process
            logger.warning("step %d: gradients are not finite, the batch is skipped", step)
            optimizer.zero_grad(set_to_none=True)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, progress, options)
        optimizer.step()
        step, seconds = step + 1, seconds + batch.seconds
        mean_loss += 0.02 * (value.item() - mean_loss) if step > 1 else value.item()
        bar.update(min(100.0, 100 * progress) - bar.n)
        if rank == 0 and step % 50 == 0:
            bar.set_postfix_str(f"step {step}, loss {mean_loss:.3f}", refresh=False)
            _log(
                out,
                step=step,
                loss=mean_loss,
                progress=progress,
                lr=optimizer.param_groups[0]["lr"],
                audio_h=seconds / 3600,
            )
        if rank == 0 and time.monotonic() - saved > options.checkpoint_minutes * 60:
            saved = time.monotonic()
            _save(model, out, step)
            _log(out, step=step, **validate(model, batches))
    bar.close()
    if rank == 0:
        _save(model, out, step)
        _log(out, step=step, **validate(model, batches))


def _average_gradients(model: Transducer, elapsed: float) -> float:
    """Average gradients over the processes; returns their mean elapsed share, so that all stop together."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients] + [torch.tensor([elapsed])])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    offset = 0
    for gradient in gradients:
        gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
        offset += gradient.numel()
    return float(flat[-1])


@torch.no_grad()
def validate(model: Transducer, batches: Batches, n_utterances: int = 100) -> dict[str, float]:
    """Losses per symbol on a part of the validation split, by kind of sentence and synthesizer."""
    entries = batches.corpus.select("valid")
    cells: dict[str, float] = {}
    for kind in ("assistant", "open"):
        for synthesizer in ("espeak-ng", "festival"):
            cell = [e for e in entries if (e.kind, e.synthesizer) == (kind, synthesizer)]
            chosen = Random(0).sample(cell, min(len(cell), n_utterances // 4))
            values = [float(loss(model, batch, Weights(1.0, 0.0, 0.0))) for batch in batches.plain(chosen)]
            cells[f"valid_{kind}_{synthesizer}"] = float(np.mean(values)) if values else float("nan")
    return cells


def _save(model: Transducer, out: Path, step: int) -> None:
    partial = out / (CHECKPOINT_FILE + ".partial")
    torch.save({"model": model.state_dict(), "config": asdict(model.config), "step": step}, partial)
    partial.replace(out / CHECKPOINT_FILE)


def _log(out: Path, **values: Any) -> None:
    with (out / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(
            json.dumps({"time": round(time.time(), 1)} | {k: round(v, 5) for k, v in values.items()}) + "\n"
        )
