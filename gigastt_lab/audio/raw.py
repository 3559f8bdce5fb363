"""Raw audio: samples without a header, of which the caller states the encoding and the rate.

Telephone systems record and send so: G.711 (A-law, mu-law), G.722, PCM16. Such bytes look like nothing, so
they are read only where somebody says what they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from typing import Final, Literal, get_args

from gigastt_lab.errors import AudioError

Encoding = Literal["s16le", "s16be", "alaw", "mulaw", "g722"]
ENCODINGS: Final[tuple[Encoding, ...]] = get_args(Encoding)

_BYTES_PER_SAMPLE: Final[dict[Encoding, int]] = {"s16le": 2, "s16be": 2, "alaw": 1, "mulaw": 1}
_G722_RATE: Final = 16_000
# Source: RFC 3551, section 4.5.2: by a mistake in an older text, RTP's clock of G.722 runs at 8 kHz.
_G722_RATES: Final = frozenset({8_000, _G722_RATE})
# Beginnings that no raw audio has but by chance, and what they are.
_HEADERS: Final = {
    b"RIFF": "a WAV or AVI",
    b"RF64": "a WAV",
    b"RIFX": "a WAV",
    b"fLaC": "a FLAC",
    b"OggS": "an Ogg",
    b".snd": "an AU",
    b"FORM": "an AIFF",
    b"caff": "a CAF",
    b"#!AMR": "an AMR",
    b"\x1a\x45\xdf\xa3": "a WebM or Matroska",
    b"ID3": "an MP3",
}
# By media type, in lower case. Source: RFC 2586 (L16, in network byte order), 3551, 4856; audio/basic is
# mu-law at 8 kHz (RFC 2046); names with x- are what Asterisk and Twilio write; audio/pcm is little-endian.
_MEDIA_TYPES: Final[dict[str, Encoding]] = {
    "audio/pcmu": "mulaw",
    "audio/pcma": "alaw",
    "audio/basic": "mulaw",
    "audio/mulaw": "mulaw",
    "audio/x-mulaw": "mulaw",
    "audio/alaw": "alaw",
    "audio/x-alaw": "alaw",
    "audio/x-alaw-basic": "alaw",
    "audio/g722": "g722",
    "audio/l16": "s16be",
    "audio/pcm": "s16le",
    "audio/x-pcm": "s16le",
}
_NUMBER: Final = re.compile("[0-9]{1,7}")
DEFAULT_RATES: Final[dict[Encoding, int]] = {"mulaw": 8_000, "alaw": 8_000, "g722": _G722_RATE}


@dataclass(frozen=True)
class RawAudio:
    """Statement of what raw bytes are.

    Attributes:
        encoding: "s16le" or "s16be" (PCM16), "alaw" or "mulaw" (G.711), "g722".
        sample_rate: Rate, in Hz. G.722 is sampled at 16 kHz, whatever its RTP clock of 8 kHz says.
        n_channels: Channels, sample by sample in turn; G.722 has one.

    Raises:
        AudioError: another encoding, or a rate or a number of channels that is not allowed.
    """

    encoding: Encoding
    sample_rate: int
    n_channels: int = 1

    def __post_init__(self) -> None:
        from gigastt_lab.audio.samples import check_n_channels, check_sample_rate  # `--help` needs no NumPy

        if self.encoding not in ENCODINGS:
            raise AudioError(
                f"raw audio in the encoding {self.encoding!r}; allowed are {', '.join(ENCODINGS)}: "
                "state one of them, or send a file that says itself what it is"
            )
        check_sample_rate(self.sample_rate)
        check_n_channels(self.n_channels)
        if self.encoding == "g722" and (self.sample_rate not in _G722_RATES or self.n_channels != 1):
            raise AudioError(
                f"G.722 of {self.sample_rate} Hz and {self.n_channels} channels; it has always 16000 Hz "
                "and one channel: state these"
            )

    @property
    def bytes_per_frame(self) -> int:
        """Bytes of one sample of every channel; of G.722, the one byte that holds two samples."""
        return _BYTES_PER_SAMPLE.get(self.encoding, 1) * self.n_channels

    @property
    def duration_of_byte(self) -> float:
        """Seconds that one byte lasts."""
        if self.encoding == "g722":
            return 1 / 8_000  # 64 kbit/s
        return 1 / (self.bytes_per_frame * self.sample_rate)


def raw_of_media_type(content_type: str) -> RawAudio | None:
    """Raw audio as a media type such as "audio/PCMU;rate=8000;channels=1" states it; None of any other type.

    Args:
        content_type: Value of a header `Content-Type`. "audio/L16" is big-endian, unless it states
            "endianness=little-endian".

    Raises:
        AudioError: no rate where one is needed, or parameters that are not allowed.
    """
    message = Message()
    message["Content-Type"] = content_type
    encoding = _MEDIA_TYPES.get(message.get_content_type())
    if encoding is None:
        return None
    parameters = {name.lower(): value for name, value in message.get_params() or []}
    if encoding == "s16be" and parameters.get("endianness") == "little-endian":
        encoding = "s16le"
    rate = str(parameters.get("rate", DEFAULT_RATES.get(encoding, "")))
    channels = str(parameters.get("channels", 1))
    if not (_NUMBER.fullmatch(rate) and _NUMBER.fullmatch(channels)):
        raise AudioError(
            f"the content type {content_type!r}; raw audio needs its rate, in Hz, and channels in digits: "
            'write such as "audio/L16;rate=16000;channels=1"'
        )
    return RawAudio(encoding, int(rate), int(channels))


def raw_or_file(content_type: str, head: bytes) -> RawAudio | None:
    """As `raw_of_media_type`, but None of bytes that begin as a file with a header: the bytes know better.

    Args:
        content_type: Value of a header `Content-Type`.
        head: First bytes of the body, 16 or all.
    """
    return None if header_of(head) else raw_of_media_type(content_type)


def header_of(head: bytes) -> str | None:
    """The file that the first bytes announce, such as "a FLAC"; None where they may be raw audio."""
    if head[4:8] == b"ftyp":
        return "an MP4"
    return next((name for magic, name in _HEADERS.items() if head.startswith(magic)), None)
