"""Options of a stream: how often partial results come, and when an utterance ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal

from gigastt_lab.spec import GIGAAM_V3

Preset = Literal["low-latency", "balanced", "accurate"]

FRAME_MS: Final = round(1000 * GIGAAM_V3.encoder_frame_s)  # 40: positions in a stream count in these


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}; give {low} to {high}")


@dataclass(frozen=True, kw_only=True)
class EndpointOptions:
    """Times that end an utterance. Each is rounded up to whole encoder frames of 40 ms.

    Attributes:
        min_silence_ms: Time after speech, without a word and quiet, that ends the utterance.
        min_blank_ms: Time without a word, however loud, that ends it: noise and music do not keep it open.
        max_utterance_ms: Longest utterance; one without a pause is cut at a word boundary before.
        max_leading_silence_ms: Audio before the first word that an utterance keeps; what is older is silence.
    """

    min_silence_ms: int = 600
    min_blank_ms: int = 1_600
    max_utterance_ms: int = 22_000
    max_leading_silence_ms: int = 1_000

    def __post_init__(self) -> None:
        _check_range("min_silence_ms", self.min_silence_ms, 100, 10_000)
        _check_range("min_blank_ms", self.min_blank_ms, self.min_silence_ms, 20_000)
        _check_range("max_utterance_ms", self.max_utterance_ms, 5_000, 25_000)
        _check_range("max_leading_silence_ms", self.max_leading_silence_ms, 0, 4_000)


@dataclass(frozen=True, kw_only=True)
class StreamOptions:
    """Chunks, context and endpointing of a stream.

    Every `chunk_ms` of audio the encoder sees left context, chunk and right context once more; so each second
    of speech is encoded (left + chunk + right) / chunk times for the partials, and once for the final.

    Attributes:
        chunk_ms: Audio from one partial result to the next; a multiple of 40.
        left_ms: Audio before the chunk that the encoder sees with it.
        right_ms: Audio after the chunk: its words are shown at once, and settle later.
        hold_ms: Words that end less than this before the newest audio are held back, because they may still
            be growing, unless it has become quiet behind them; a multiple of 40.
        partials: True gives partial results; without them, pauses are told by loudness alone.
        endpoint: Times that end an utterance.
    """

    chunk_ms: int = 480
    left_ms: int = 2_880
    right_ms: int = 720
    hold_ms: int = 480
    partials: bool = True
    endpoint: EndpointOptions = field(default_factory=EndpointOptions)

    def __post_init__(self) -> None:
        _check_range("chunk_ms", self.chunk_ms, FRAME_MS, 4_000)
        _check_range("left_ms", self.left_ms, 0, 20_000)
        _check_range("right_ms", self.right_ms, 0, 4_000)
        _check_range("hold_ms", self.hold_ms, 0, 4_000)
        for name in ("chunk_ms", "left_ms", "right_ms", "hold_ms"):
            value = getattr(self, name)
            if value % FRAME_MS:
                raise ValueError(f"{name} is {value}; give a multiple of {FRAME_MS}, the encoder's frame")

    @property
    def encoded_per_second(self) -> float:
        """Seconds that the encoder sees for each second of steady speech, partials and final together."""
        if not self.partials:
            return 1.0
        return 1.0 + (self.left_ms + self.chunk_ms + self.right_ms) / self.chunk_ms


PRESETS: Final[Mapping[Preset, StreamOptions]] = MappingProxyType(
    {
        "low-latency": StreamOptions(
            chunk_ms=240,
            left_ms=1_600,
            right_ms=480,
            hold_ms=240,
            endpoint=EndpointOptions(min_silence_ms=440),
        ),
        "balanced": StreamOptions(),
        "accurate": StreamOptions(
            left_ms=4_800, right_ms=960, hold_ms=600, endpoint=EndpointOptions(min_silence_ms=800)
        ),
    }
)


def with_silence(options: StreamOptions, min_silence_ms: int) -> StreamOptions:
    """The options with another silence that ends an utterance; the time without a word is at least that.

    Raises:
        ValueError: a silence outside 100 to 10,000 ms.
    """
    endpoint = asdict(options.endpoint) | {"min_silence_ms": min_silence_ms}
    endpoint["min_blank_ms"] = max(endpoint["min_blank_ms"], min_silence_ms)
    return replace(options, endpoint=EndpointOptions(**endpoint))


def stream_options(choice: Preset | StreamOptions) -> StreamOptions:
    """The options of a preset, or the options given.

    Raises:
        ValueError: there is no such preset.
    """
    if isinstance(choice, StreamOptions):
        return choice
    if choice not in PRESETS:
        raise ValueError(f"there is no preset {choice!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[choice]
