"""The widgets in a real JupyterLab and a real Notebook 7, in Chromium with a microphone that plays a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from tests.support.browser import Browser, chromium, microphone_flags, require_browser
from tests.support.front_end import RATE, speech_of
from tests.support.lab import FrontEndName, Jupyter, OpenNotebook, jupyter, require_jupyter

pytestmark = pytest.mark.slow

MICROPHONE_RATE = 48_000

SETUP = """
import json, time
import gigastt_lab
from gigastt_lab.widgets import FileDrop, LiveMicrophone, TranscriptView
microphone = LiveMicrophone(gigastt_lab.load_engine("demo", precision="fp32"))
print("ready")
"""
BUSY = "time.sleep(5); raise RuntimeError('on purpose')"
RESULT = """
microphone.save("said.wav")
print(json.dumps({"text": microphone.transcript.text, "words": len(microphone.transcript.words),
                  "duration_s": microphone.transcript.duration_s, "n_samples": len(microphone.audio),
                  "sample_rate": microphone.sample_rate}))
"""
SHOW = "TranscriptView(microphone.transcript, microphone.audio, microphone.sample_rate)"
CELLS = (SETUP, "microphone", BUSY, RESULT, SHOW, "FileDrop(microphone._engine)")


@pytest.fixture(scope="module")
def recording(clear_clips: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's microphone plays: a moment of quiet, then three utterances with pauses."""
    require_browser()
    require_jupyter()
    quiet = 1e-4 * np.random.default_rng(1).standard_normal(RATE)
    samples = soxr.resample(np.concatenate([quiet, speech_of(clear_clips[:3])]), RATE, MICROPHONE_RATE, "VHQ")
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    soundfile.write(path, samples, MICROPHONE_RATE, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def server(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    del recording  # it skips where there is no browser
    with jupyter(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="module")
def browser(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    directory = tmp_path_factory.mktemp("browser")
    with chromium(directory, directory, microphone_flags(recording)) as running:
        yield running


@pytest.fixture(scope="module")
def expected(engine: Any, clear_clips: list[Any]) -> list[str]:
    """What the files say to the engine."""
    return [engine.transcribe(clip.waveform, sample_rate=RATE).text for clip in clear_clips[:3]]


@pytest.fixture(scope="module", params=["lab", "notebook"])
def notebook(request: pytest.FixtureRequest, browser: Browser, server: Jupyter) -> OpenNotebook:
    """A notebook in which the microphone has been made.

    JupyterLab is set to have widgets handled in the kernel's main thread, as ipykernel 6 does; Notebook is as
    it comes: with newer kernels, they are handled beside a running cell.
    """
    front_end: FrontEndName = request.param
    is_beside = front_end == "notebook"
    how = "perCommTarget" if is_beside else "disabled"
    server.set("apputils-extension/kernels-settings", {"commsOverSubshells": how})
    theme = "JupyterLab Dark" if is_beside else "JupyterLab Light"
    server.set("apputils-extension/themes", {"theme": theme})
    server.write_notebook(f"{front_end}.ipynb", CELLS)
    opened = OpenNotebook(browser, server, f"{front_end}.ipynb", front_end)
    assert "ready" in opened.printed(0)
    return opened


def find(browser: Browser, selector: str) -> Any:
    return browser.driver.find_element("css selector", f".gigastt{selector}")


def is_there(browser: Browser, selector: str) -> bool:
    return bool(browser.driver.find_elements("css selector", f".gigastt{selector}"))


def finals(browser: Browser) -> list[str]:
    return browser.evaluate(
        "return [...document.querySelectorAll('.gigastt.microphone .utterance:not(.partial) .line')]"
        ".map((each) => each.textContent)"
    )


def test_finals_are_those_of_the_file_though_a_cell_runs_and_fails_meanwhile(
    notebook: OpenNotebook, server: Jupyter, expected: list[str], recording: Path, tmp_path: Path
) -> None:
    browser = notebook.browser
    notebook.run(1)
    browser.wait_until(lambda: is_there(browser, ".microphone .talk"), "the widget")
    find(browser, ".microphone .talk").click()
    browser.wait_until(lambda: is_there(browser, ".microphone .partial"), "a partial")
    browser.driver.save_screenshot(str(tmp_path / "partial.png"))
    notebook.run(2)
    if notebook.front_end == "lab":
        browser.wait_until(lambda: "Ядро занято" in find(browser, ".microphone .status").text, "a word on it")
    browser.driver.save_screenshot(str(tmp_path / "busy.png"))
    browser.wait_until(lambda: "on purpose" in notebook.output(2), "the end of the cell")
    browser.wait_until(lambda: len(finals(browser)) == 3, "three finals")
    find(browser, ".microphone .talk").click()
    browser.wait_until(lambda: find(browser, ".microphone .talk").text == "Говорить", "the end")
    browser.driver.save_screenshot(str(tmp_path / "finals.png"))
    assert finals(browser) == expected

    told = json.loads(notebook.printed(3))
    assert told["text"] == " ".join(expected)
    assert told["n_samples"] == pytest.approx(told["duration_s"] * told["sample_rate"], abs=1)
    saved, rate = soundfile.read(server.directory / "said.wav")
    assert (len(saved), rate) == (told["n_samples"], told["sample_rate"])
    # The widget sends frames of 100 ms; the browser's false microphone may stumble by its buffers of 10 ms.
    assert abs(gap_s(saved, rate, recording)) < 0.09


def test_what_was_recorded_can_be_heard_and_files_dropped(
    notebook: OpenNotebook, expected: list[str], clear_clips: list[Any], tmp_path: Path
) -> None:
    browser = notebook.browser
    notebook.run(4)
    browser.wait_until(lambda: is_there(browser, ".transcript.playable"), "the transcript's audio")
    assert find(browser, ".transcript .utterance .line").text.startswith(expected[0])
    notebook.run(5)
    browser.wait_until(lambda: is_there(browser, ".drop .file"), "the file drop")
    assert is_tip_beside(browser, find(browser, ".transcript .word"))
    find(browser, ".drop .file").send_keys(str(clear_clips[0].path))
    browser.wait_until(lambda: "готово" in find(browser, ".drop .status").text, "the file's text")
    assert find(browser, ".drop .utterance .line").text == expected[0]
    browser.evaluate("document.querySelector('.gigastt.drop').scrollIntoView({block: 'end'})")
    browser.driver.save_screenshot(str(tmp_path / "others.png"))
    assert [each for each in browser.complaints() if "gigastt" in each or "anywidget" in each] == []


def test_a_page_that_is_loaded_again_shows_what_was_said(
    notebook: OpenNotebook, expected: list[str], tmp_path: Path
) -> None:
    browser = notebook.browser
    notebook.reload()
    browser.wait_until(lambda: finals(browser) == expected, "what was said")
    browser.driver.save_screenshot(str(tmp_path / "again.png"))


def is_tip_beside(browser: Browser, word: Any) -> bool:
    """Whether what is told of a word is told at the word, wherever the notebook has moved it."""
    browser.evaluate("arguments[0].focus()", word)
    tip, shown = browser.evaluate(
        "return [document.querySelector('.gigastt.transcript .tip'), arguments[0]]"
        ".map((each) => each.getBoundingClientRect().toJSON())",
        word,
    )
    return abs(tip["left"] - shown["left"]) < 2 and abs(tip["bottom"] - shown["top"]) < 12


def gap_s(saved: np.ndarray, rate: int, recording: Path) -> float:
    """Seconds by which what was saved on both sides of the busy cell moved apart; below 0: missing."""
    played, played_rate = soundfile.read(recording)
    one, other = (
        soxr.resample(samples, from_rate, 8_000)
        for samples, from_rate in ((saved, rate), (played, played_rate))
    )
    shifts = []
    for start in (2, 5):
        piece = other[start * 8_000 : (start + 2) * 8_000]
        shifts.append(int(np.argmax(np.correlate(one, piece, "valid"))) - start * 8_000)
    return (shifts[1] - shifts[0]) / 8_000
