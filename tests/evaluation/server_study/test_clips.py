"""Audio that a soak sends: files that are broken, and recordings as browsers make them."""

import re

import numpy as np
import pytest

from evaluation.server_study.clips import RATE, Material, speech
from gigastt_lab.audio.live.input import LiveInput
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from tests.support.audio_files import alignment


@pytest.fixture(scope="module")
def material():
    return Material.made()


def test_broken_files_are_heard_with_warnings(material):
    assert len({each.name for each in material.broken}) == len(material.broken) > 5
    for broken in material.broken:
        found = []
        samples = decode_audio(broken.content, warnings=found)
        assert {each.kind for each in found} <= broken.kinds, broken.name
        assert found, broken.name
        assert len(samples) > RATE
        if broken.can_be_refused:
            with pytest.raises(AudioError):
                decode_audio(broken.content, strict=True)
        else:
            assert len(decode_audio(broken.content, strict=True)) == len(samples)


def test_recordings_are_as_browsers_make_them(material):
    webm = material.recorded["webm"]
    assert b"\x18\x53\x80\x67\x01" + b"\xff" * 7 in webm  # a segment without a size
    sizes = re.findall(rb"\x1f\x43\xb6\x75(\xff|\x7f\xff|\x3f\xff{2}|\x1f\xff{3}|\x01\xff{7})?", webm)
    assert all(sizes)
    assert len(sizes) > 5
    expected = speech(material.recorded_s)
    for name, content in material.recorded.items():
        live = LiveInput(RATE)
        try:
            pieces = [
                piece for at in range(0, len(content), 999) for piece in live.accept(content[at : at + 999])
            ]
            pieces += live.finish()
            assert (live.container, live.warnings()) == (name, [])
        finally:
            live.close()
        heard = np.concatenate(pieces)
        assert len(heard) == pytest.approx(len(expected), abs=RATE // 10)
        delay, likeness = alignment(expected, heard)
        assert abs(delay) < 0.05
        assert likeness > 0.9
