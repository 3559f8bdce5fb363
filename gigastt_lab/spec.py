"""Acoustic constants fixed by the trained model, each with its unit and source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AcousticSpec:
    """The front end and frame rate that a GigaAM v3 model was trained with.

    Source: GigaAM `gigaam/preprocess.py` and the v3 model configuration.
    """

    sample_rate: int = 16_000  # Hz
    win_length: int = 320  # samples, 20 ms; also the FFT length
    hop_length: int = 160  # samples, 10 ms
    n_mels: int = 64  # HTK mel filters
    f_min: float = 0.0  # Hz
    f_max: float = 8_000.0  # Hz
    log_floor: float = 1e-9  # mel energies are clamped to [log_floor, log_ceiling] before the log
    log_ceiling: float = 1e9
    subsampling: int = 4  # feature frames per encoder frame

    @property
    def encoder_frame_s(self) -> float:
        """Seconds per encoder frame (0.04)."""
        return self.hop_length * self.subsampling / self.sample_rate

    def n_frames(self, n_samples: int) -> int:
        """Feature frames of `n_samples` samples: no centring, no padding.

        >>> [GIGAAM_V3.n_frames(n) for n in (0, 319, 320, 479, 480)]
        [0, 0, 1, 1, 2]
        """
        return max(0, (n_samples - self.win_length) // self.hop_length + 1)


GIGAAM_V3 = AcousticSpec()

# Symbols that greedy search may emit in one encoder frame. GigaAM's PyTorch search
# (`gigaam/decoding.py`) and gigastt allow 10; GigaAM's ONNX search and onnx-asr allow 3.
MAX_SYMBOLS_PER_FRAME = 10

# One pass of the encoder: trained on clips of up to 25-30 s; accuracy falls beyond.
MAX_SINGLE_PASS_S = 30.0
