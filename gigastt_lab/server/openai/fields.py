"""Fields of the form, as far as they mean something here; the others of OpenAI's API are taken and ignored.

An empty field is no field: many clients send every field that they know, filled in or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from gigastt_lab.server import schemas
from gigastt_lab.server.errors import BAD_REQUEST, ApiError

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]
Granularity = Literal["word", "segment"]

_FORMATS: Final[tuple[ResponseFormat, ...]] = get_args(ResponseFormat)
_GRANULARITIES: Final[tuple[Granularity, ...]] = get_args(Granularity)
_STREAMED: Final = ("json", "text")
_SWITCH: Final = {"true": True, "1": True, "false": False, "0": False}
_IGNORED: Final = ("model", "language", "prompt", "temperature", "include[]", "chunking_strategy")
_GRANULARITY_FIELD: Final = "timestamp_granularities[]"

BODY: Final[schemas.Schema] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": schemas.BINARY,
                        **{name: {} for name in _IGNORED},
                        "response_format": {"type": "string", "enum": [*_FORMATS, ""]},
                        "stream": {"type": "string", "enum": [*_SWITCH, ""]},
                        "strict": {"enum": [*_SWITCH, "", True, False, 1, 0]},
                        "track": {"type": "string", "pattern": "^([1-9][0-9]{0,3})?$"},
                        _GRANULARITY_FIELD: {
                            "type": "array",
                            "items": {"type": "string", "enum": [*_GRANULARITIES, ""]},
                        },
                    },
                    "anyOf": [
                        {"properties": {"response_format": {"enum": [*_STREAMED, ""]}}},
                        {"properties": {"stream": {"enum": ["false", "0", ""]}}},
                    ],
                }
            }
        },
    }
}


@dataclass(frozen=True)
class Wanted:
    """Wishes of a client.

    Attributes:
        response_format: Format of the answer.
        granularities: Times that a `verbose_json` has: of words, of segments, or both.
        streams: True: events as the text comes.
        strict: True: a file that was cut or is damaged is refused. Not of OpenAI, like the next.
        track: Number of the audio track; None: the file's default.
    """

    response_format: ResponseFormat = "json"
    granularities: frozenset[Granularity] = frozenset({"segment"})
    streams: bool = False
    strict: bool = False
    track: int | None = None


def wanted(fields: tuple[tuple[str, str], ...]) -> Wanted:
    """Wishes in the fields of a form, given as names and values.

    Raises:
        ApiError: a value that cannot be; `param` names the field.
    """
    found = Wanted(
        _response_format(fields),
        _granularities(fields),
        _switched(fields, "stream"),
        _switched(fields, "strict"),
        _track(fields),
    )
    if found.streams and found.response_format not in _STREAMED:
        raise ApiError(
            BAD_REQUEST,
            f"response_format is {found.response_format}, which cannot be streamed: with stream=true, give "
            "json or text; else leave stream out.",
            param="response_format",
        )
    return found


def _response_format(fields: tuple[tuple[str, str], ...]) -> ResponseFormat:
    given = _values(fields, "response_format") or ["json"]
    for known in _FORMATS:
        if given == [known]:
            return known
    raise _wrong("response_format", given, f"has to be one of {', '.join(_FORMATS)}")


def _granularities(fields: tuple[tuple[str, str], ...]) -> frozenset[Granularity]:
    given = _values(fields, _GRANULARITY_FIELD) + _values(fields, _GRANULARITY_FIELD.removesuffix("[]"))
    if wrong := [value for value in given if value not in _GRANULARITIES]:
        raise _wrong(
            "timestamp_granularities", wrong, f"may be {' or '.join(_GRANULARITIES)}, each in a field"
        )
    return frozenset(known for known in _GRANULARITIES if known in given) or Wanted.granularities


def _switched(fields: tuple[tuple[str, str], ...], name: str) -> bool:
    given = _values(fields, name) or ["false"]
    switched = _SWITCH.get(given[0].lower()) if len(given) == 1 else None
    if switched is None:
        raise _wrong(name, given, f"has to be one of {', '.join(_SWITCH)}")
    return switched


def _track(fields: tuple[tuple[str, str], ...]) -> int | None:
    given = _values(fields, "track")
    if not given:
        return None
    if len(given) > 1 or not re.fullmatch("[1-9][0-9]{0,3}", given[0]):
        raise _wrong("track", given, "has to be the number of an audio track, from 1")
    return int(given[0])


def _values(fields: tuple[tuple[str, str], ...], name: str) -> list[str]:
    """Values of all fields of one name that are not empty."""
    return [value.strip() for key, value in fields if key == name and value.strip()]


def _wrong(name: str, given: list[str], allowed: str) -> ApiError:
    shown = ", ".join(repr(value[:40]) for value in given[:3])
    return ApiError(BAD_REQUEST, f"{name} is {shown}; it {allowed}.", param=name)
