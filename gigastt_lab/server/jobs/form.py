"""Forms, read as they come: the bytes of the field `file`, without a file for the library to keep them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from gigastt_lab.server.errors import BAD_REQUEST, ApiError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_FIELD: Final = b"file"
_MAX_PARTS: Final = 64
_MAX_HEADER_BYTES: Final = 2**12


class FormFile:
    """The file of one form, whose body is fed piece by piece."""

    def __init__(self, content_type: str) -> None:
        """Begin before the body.

        Raises:
            ApiError: the header names no boundary.
        """
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._name,
            "on_header_value": self._value,
            "on_header_end": self._header,
            "on_headers_finished": self._choose,
            "on_part_data": self._data,
            "on_end": self._end,
        }
        self._n_parts = 0
        self._is_file = self._has_file = self._has_ended = False
        self._header_name = self._header_value = self._disposition = self._type = b""
        self.content_type = ""  # of the file
        self._found: list[bytes] = []
        try:
            self._parser = MultipartParser(boundary or b"", callbacks)
        except (FormParserError, ValueError) as error:
            raise _unreadable() from error
        if not boundary:
            raise _unreadable()

    def fed(self, piece: bytes) -> list[bytes]:
        """The bytes of the file in the next piece of the body.

        Raises:
            ApiError: it is no form, or one with several files.
        """
        self._found = []
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _unreadable() from error
        return self._found

    def finish(self) -> None:
        """End the body.

        Raises:
            ApiError: it was cut, or has no file.
        """
        if not self._has_ended:
            raise _unreadable()
        if not self._has_file:
            raise ApiError(BAD_REQUEST, "The form has no file in its field `file`; send the audio there.")

    def _begin(self) -> None:
        self._n_parts += 1
        if self._n_parts > _MAX_PARTS:
            raise _unreadable()
        self._is_file = False
        self._disposition = self._type = b""

    def _name(self, data: bytes, start: int, end: int) -> None:
        self._header_name = _grown(self._header_name, data[start:end])

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header_value = _grown(self._header_value, data[start:end])

    def _header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        if self._header_name.lower() == b"content-type":
            self._type = self._header_value
        self._header_name = self._header_value = b""

    def _choose(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._is_file = options.get(b"name") == _FIELD and b"filename" in options
        if self._is_file and self._has_file:
            raise _unreadable()
        self._has_file |= self._is_file
        if self._is_file:
            self.content_type = self._type.decode("latin-1")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._found.append(data[start:end])

    def _end(self) -> None:
        self._has_ended = True


def _grown(header: bytes, more: bytes) -> bytes:
    if len(header) + len(more) > _MAX_HEADER_BYTES:
        raise _unreadable()
    return header + more


def _unreadable() -> ApiError:
    return ApiError(BAD_REQUEST, "The form cannot be read; send one file and a few fields.")
