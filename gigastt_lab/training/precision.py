"""Number type that training computes in: bfloat16 where this processor has all that takes."""

from __future__ import annotations

import logging

import torch
from torch import nn

logger = logging.getLogger(__name__)


def training_dtype() -> torch.dtype:
    """bfloat16, under `torch.autocast`; float32 where the predictor's LSTM cannot be run and trained in it.

    Without AVX-512, oneDNN has no bfloat16 LSTM: "could not create a primitive descriptor for the LSTM
    forward propagation primitive". Nothing but trying it tells, so it is tried, on a tiny one.
    """
    lstm = nn.LSTM(8, 8)
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs, _ = lstm(torch.zeros(2, 1, 8))
        outputs.float().sum().backward()
    except RuntimeError as error:
        logger.info("training in float32, which is slower: no LSTM in bfloat16 on this processor (%s)", error)
        return torch.float32
    return torch.bfloat16
