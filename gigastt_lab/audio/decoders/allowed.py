"""Demuxers and decoders of FFmpeg that are allowed, and limits; each was fuzzed (``docs/formats.md``)."""

from __future__ import annotations

from typing import Final

from gigastt_lab.audio.containers.kinds import Container

DEMUXERS: Final[dict[Container, str]] = {
    "wav": "wav",
    "flac": "flac",
    "mp3": "mp3",
    "ogg": "ogg",
    "mp4": "mov",
    "webm": "matroska",
    "aac": "aac",
    "aiff": "aiff",
    "au": "au",
    "caf": "caf",
    "w64": "w64",
    "amr": "amr",
    "asf": "asf",
    "avi": "avi",
    "ts": "mpegts",
    "ac3": "eac3",  # which reads AC-3 as well
    "wavpack": "wv",
    "tta": "tta",
}
_PCM: Final = frozenset(
    f"pcm_{name}"
    for name in (
        *("u8", "s8", "alaw", "mulaw", "bluray", "dvd"),
        *(f"{kind}{order}" for kind in ("s16", "s24", "s32", "f32", "f64") for order in ("le", "be")),
    )
)
# By name for people: decoders, of which FFmpeg builds hold one or the other.
_BY_NAME: Final[dict[str, tuple[str, ...]]] = {
    "PCM": tuple(sorted(_PCM)),
    "FLAC": ("flac",),
    "MP3": ("mp3", "mp3float", "mp2", "mp2float", "mp1", "mp1float"),
    "AAC": ("aac", "aac_latm"),
    "Opus": ("opus", "libopus"),
    "Vorbis": ("vorbis", "libvorbis"),
    "ALAC": ("alac",),
    "AMR": ("amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb"),
    "AC-3": ("ac3", "eac3"),
    "WMA": ("wmav1", "wmav2", "wmapro", "wmavoice", "wmalossless"),
    "Speex": ("speex",),
    "ADPCM": ("adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "g722", "g726", "g726le"),
    "GSM": ("gsm", "gsm_ms"),
    "G.723.1": ("g723_1",),
    "TrueSpeech": ("truespeech",),
    "WavPack": ("wavpack",),
    "TTA": ("tta",),
}
CODECS: Final = frozenset(codec for codecs in _BY_NAME.values() for codec in codecs)
# Their headers may ask for frames of any length, and opening a file decodes one of them, without a limit.
_NOT_PROBED: Final = frozenset({"alac", "tta", "wavpack", "wmalossless"})
PROBED_CODECS: Final = CODECS - _NOT_PROBED
# Of all channels of one frame: ALAC's header may ask for 16 million (half a gigabyte); real ones have 4096.
_MAX_FRAME_SAMPLES: Final = 4 << 20


def allowed_codecs() -> str:
    """The codecs that are read, as a sentence lists them."""
    *names, last = _BY_NAME
    return f"{', '.join(names)} and {last}"


def decoder_options(codec: str) -> dict[str, str]:
    """Options of a decoder.

    Args:
        codec: Name of the decoder.
    """
    options = {"max_samples": str(_MAX_FRAME_SAMPLES)}
    if codec == "flac":
        options["err_detect"] = "crccheck+explode"  # else damage is decoded as noise
    if codec == "alac":
        options["flags2"] = "+skip_manual"  # else a CAF's last frame, which is short, loses its padding twice
    return options
