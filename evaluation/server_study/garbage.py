"""Input that no client should send, from a seeded generator: damaged files, forms, messages, requests."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

_MAGICS: Final = (
    b"RIFF\xff\xff\xff\xffWAVEfmt ",
    b"fLaC",
    b"OggS\0\2",
    b"ID3\4",
    b"\x1aE\xdf\xa3",
    b"\0\0\0\x20ftypM4A ",
)
_WORDS: Final = (
    "sample_rate", "protocol_version", "diarization", "type", "привет", "\0", "𝕏", "{}", "language",
)  # fmt: skip
_FORM: Final = "multipart/form-data; boundary=b"
_FIELD: Final = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'
_FILE: Final = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n%b\r\n'
_END: Final = b"--b--\r\n"


def damaged_audio(rng: random.Random, files: Mapping[str, bytes]) -> bytes:
    """A body that is no audio, or nearly; never empty.

    Args:
        rng: Generator that it comes from.
        files: Audio that is well, to be damaged.
    """
    well = rng.choice(list(files.values()))
    kinds: list[Callable[[], bytes]] = [
        lambda: _noise(rng, 20_000),
        lambda: rng.choice(_MAGICS) + _noise(rng, 20_000),
        lambda: well[: rng.randrange(1, len(well))],
        lambda: _with_wrong_bytes(rng, well),
        lambda: well[: rng.randrange(1, 200)] + _noise(rng, 20_000),
        lambda: lying_wav(rng),
        lambda: json.dumps({"audio": "нет", "n": rng.random()}, ensure_ascii=False).encode(),
    ]
    return rng.choice(kinds)()


def lying_wav(rng: random.Random) -> bytes:
    """A WAV whose header says what cannot be."""
    n_channels, rate = rng.choice((0, 1, 2, 9, 65_535)), rng.choice((0, 1, 8_000, 16_000, 192_000, 2**32 - 1))
    bits, tag = rng.choice((0, 8, 16, 17, 64)), rng.choice((0, 1, 3, 6, 7, 0x55, 0xFFFE, 0xFFFF))
    fields = struct.pack("<HHIIHH", tag, n_channels, rate, rng.randrange(2**32), rng.randrange(2**16), bits)
    size = struct.pack("<I", rng.choice((0, 1, 999, 2**31, 2**32 - 1)))
    return b"RIFF" + size + b"WAVEfmt \x10\0\0\0" + fields + b"data" + size + _noise(rng, 4_000)


def broken_form(rng: random.Random, audio: bytes) -> tuple[str, bytes]:
    """A content type and a body that are no form with one file in it."""
    file = _FILE % audio
    in_head = b"\r\nX: " + rng.randbytes(30) + b"\r\n\r\n"
    return rng.choice(
        (
            ("multipart/form-data", file + _END),  # without a boundary
            (_FORM, _FIELD + _END),  # without a file
            (_FORM, file + file.replace(b'"file"', b'"more"') + _END),  # with two
            (_FORM, _FIELD * rng.randrange(100, 2_000) + file + _END),
            (_FORM, _noise(rng, 5_000)),
            (_FORM, file.replace(b"\r\n\r\n", in_head, 1)[: rng.randrange(1, 300)]),
        )
    )


def request_bytes(rng: random.Random) -> bytes:
    """Bytes that are no HTTP request."""
    head = b"POST /v1/transcribe HTTP/1.1\r\nHost: localhost\r\n"
    return rng.choice(
        (
            _noise(rng, 3_000),
            b"GET /health HTTP/9.9\r\n\r\n",
            head + b"Content-Length: -5\r\n\r\nabc",
            head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
            b"GET /health HTTP/1.1\r\nX-A: " + b"a" * rng.randrange(100_000) + b"\r\n\r\n",
            b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        )
    )


def message(rng: random.Random) -> str | bytes:
    """Something that a live stream is not told: a text message, or bytes that are none, or odd."""
    kinds: list[Callable[[], str | bytes]] = [
        lambda: "".join(rng.choice(_WORDS) for _ in range(rng.randrange(1, 50))),
        lambda: "[" * rng.choice((1, 100, 50_000)),
        lambda: json.dumps({"type": rng.choice(("", "start", "Stop", 5, None, ["stop"])), "x": _value(rng)}),
        lambda: json.dumps({"type": "configure", "sample_rate": _value(rng)}),
        lambda: json.dumps({"type": "configure", "protocol_version": rng.choice(("9.9", 1, None, "1.0"))}),
        lambda: json.dumps(_value(rng)),
        lambda: b"",
        lambda: rng.randbytes(2 * rng.randrange(1, 4_000) + 1),
    ]
    return rng.choice(kinds)()


def _noise(rng: random.Random, below: int) -> bytes:
    return rng.randbytes(rng.randrange(1, below))


def _with_wrong_bytes(rng: random.Random, well: bytes) -> bytes:
    content = bytearray(well)
    for _ in range(rng.randrange(1, 40)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def _value(rng: random.Random, depth: int = 0) -> Any:
    """Anything that JSON holds."""
    kind = rng.randrange(7 if depth < 3 else 5)
    if kind == 5:
        return [_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 6:
        return {rng.choice(_WORDS): _value(rng, depth + 1) for _ in range(rng.randrange(4))}
    number = rng.choice((0, -1, 7, 22_050, 10**30))
    return (None, rng.random() < 0.5, number, rng.gauss(0, 1e6), rng.choice(_WORDS))[kind]
