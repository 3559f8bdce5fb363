"""What web pages send: a browser's own MediaRecorder, whose blobs go to `/v1/ws` as they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.support.browser import Browser, chromium, microphone_flags, require_browser
from tests.support.recordings import RATE
from tests.support.word_errors import word_errors

pytestmark = pytest.mark.slow

MICROPHONE_RATE = 48_000
MAX_OTHER_WORDS = 1  # see test_page.py: the browser begins to record at a moment of its own

# As a web developer writes it; `restartMs` begins a new recording, with a header of its own, that often.
RECORD = """
const [mimeType, timesliceMs, lastMs, restartMs, done] = arguments;
const finals = [], errors = [];
let told = false;
const say = (more) => { if (!told) { told = true; done({finals, errors, ...more}); } };
navigator.mediaDevices.getUserMedia({audio: true}).then((stream) => {
  const socket = new WebSocket(`ws://${location.host}/v1/ws`);
  let recorder, timer, n_blobs = 0, used = "";
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.type === "ready") { begin(); setTimeout(end, lastMs); }
    if (message.type === "final" && message.text) finals.push(message);
    if (message.type === "error") errors.push(message);
  };
  socket.onclose = (event) => say({code: event.code, n_blobs, used});
  const begin = () => {
    recorder = new MediaRecorder(stream, {mimeType});
    used = recorder.mimeType;
    recorder.ondataavailable = (event) => { if (event.data.size) { n_blobs++; socket.send(event.data); } };
    recorder.start(timesliceMs);
    if (restartMs) timer = setTimeout(() => { recorder.onstop = begin; recorder.stop(); }, restartMs);
  };
  const end = () => {
    clearTimeout(timer);
    recorder.onstop = () => setTimeout(() => socket.send('{"type": "stop"}'), 100);
    recorder.stop();
  };
}).catch((error) => say({failure: String(error)}));
"""


@pytest.fixture(scope="module")
def length_ms(speech: np.ndarray) -> int:
    return round(1000 * (1.0 + len(speech) / RATE + 1.0))


@pytest.fixture
def browser(speech: np.ndarray, tmp_path: Path) -> Iterator[Browser]:
    """A browser whose microphone plays a second of quiet, then three utterances with pauses, once."""
    require_browser()
    quiet = 1e-4 * np.random.default_rng(1).standard_normal(RATE)
    samples = soxr.resample(np.concatenate([quiet, speech]), RATE, MICROPHONE_RATE, "VHQ")
    path = tmp_path / "speech.wav"
    soundfile.write(path, samples, MICROPHONE_RATE, subtype="PCM_16")
    with chromium(tmp_path, tmp_path, microphone_flags(path)) as running:
        running.driver.set_script_timeout(90)
        yield running


def recorded(browser, server, mime, *, timeslice_ms, last_ms, restart_ms=0):
    browser.open(f"{server.url}/")
    if not browser.evaluate("return MediaRecorder.isTypeSupported(arguments[0])", mime):
        pytest.skip(f"this browser records no {mime}")
    return browser.driver.execute_async_script(RECORD, mime, timeslice_ms, last_ms, restart_ms)


@pytest.mark.parametrize(
    "mime",
    [
        "audio/webm;codecs=opus",
        "audio/mp4;codecs=opus",
        "audio/mp4;codecs=mp4a.40.2",
        "audio/webm;codecs=pcm",
    ],
)
def test_what_is_said_into_a_media_recorder_comes_back(browser, server, clear_clips, length_ms, mime):
    found = recorded(browser, server, mime, timeslice_ms=250, last_ms=length_ms)
    assert (found["errors"], found["code"]) == ([], 1000), found
    assert found["n_blobs"] > 10
    assert len(found["finals"]) >= 3
    text = " ".join(final["text"] for final in found["finals"])
    expected = " ".join(clip.text for clip in clear_clips[:3])
    assert word_errors(text, expected) <= MAX_OTHER_WORDS, text
    assert all("warnings" not in final for final in found["finals"]), found


def test_a_recorder_that_is_started_anew_goes_on_in_the_same_session(browser, server, clear_clips, length_ms):
    found = recorded(
        browser, server, "audio/webm;codecs=opus", timeslice_ms=100, last_ms=length_ms, restart_ms=2_000
    )
    assert (found["errors"], found["code"]) == ([], 1000), found
    text = " ".join(final["text"] for final in found["finals"])
    expected = " ".join(clip.text for clip in clear_clips[:3])
    assert word_errors(text, expected) <= 4, text  # each new start loses some 10 ms, in a word perhaps
    assert found["finals"][-1]["end"] == pytest.approx(length_ms / 1000, abs=2.0)
