"""Texts of everything that a soak sends, made while nothing else goes on; the server is warm then."""

from __future__ import annotations

from contextlib import suppress

from websockets.exceptions import WebSocketException

from evaluation.server_study.mix_recorded import streamed_text
from evaluation.server_study.operations import NotAllowedError, Scene


def first_texts(scene: Scene) -> dict[str, str]:
    """Texts by the names of files and streams; those that the server does not give are left out."""
    material, texts = scene.material, dict[str, str]()
    files = dict(material.files) | {each.name: each.content for each in material.broken}
    with scene.client() as client:
        for name, audio in (files | {"long": material.long_file, "job": material.job}).items():
            content = client.transcribe(audio).content
            if isinstance(content, dict) and isinstance(content.get("text"), str):
                texts[name] = content["text"]
    with suppress(OSError, WebSocketException, NotAllowedError):  # the soak finds out, and says so
        for name in material.recorded:
            text = streamed_text(scene, name)
            texts |= {} if text is None else {f"{name} stream": text}
    return texts
