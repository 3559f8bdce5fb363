"""The widgets' JavaScript in a real browser, the test in the kernel's place: audio, backlog, errors, text."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gigastt_lab.widgets.transcript_view import as_flac
from tests.support.browser import Browser, chromium, microphone_flags, require_browser
from tests.support.front_end import RATE
from tests.support.harness import Harness, shown

pytestmark = pytest.mark.slow

MICROPHONE = ("capture", "capture_messages", "formats", "transcript", "panel", "live", "microphone")
TRAITS = {"_max_backlog_s": 60.0, "_max_duration_s": 3600.0, "_server_url": "http://127.0.0.1:9876/"}
# A kernel that takes and recognises everything at once.
PROMPT_KERNEL = """
  window.onSent = ({type, recording, at}) => {
    const ours = sent.filter((each) => each.recording === recording);
    const n_received = ours.reduce((sum, {nBytes}) => sum + nBytes / 2, 0);
    const seconds = n_received / sent.at(-1).sample_rate;
    const progress = {n_received, n_recognised: n_received, work_s: seconds / 2};
    if (type === "frame") say({type: "progress", recording, ...progress});
    if (type === "stop") say({type: "ended", recording, error: null, seconds});
  };
"""


def word(text: str, start: float = 0.0, confidence: float = 0.95) -> dict[str, object]:
    return {"word": text, "start": start, "end": start + 0.3, "confidence": confidence}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a microphone on which a tone is heard."""
    require_browser()
    directory = tmp_path_factory.mktemp("browser")
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(30 * RATE) / RATE)
    soundfile.write(directory / "tone.wav", tone, RATE, subtype="PCM_16")
    with chromium(directory, directory, microphone_flags(directory / "tone.wav")) as running:
        yield running


def begin(widget: Harness) -> None:
    widget.find(".talk").click()
    widget.wait_until(lambda: widget.text(".status") == "Слушаю.", "the microphone")


def stop(widget: Harness) -> None:
    widget.find(".talk").click()
    widget.wait_until(lambda: widget.text(".talk") == "Говорить", "the end")


# -- audio --------------------------------------------------------------------------------------------------


def test_frames_of_100_ms_come_without_a_gap(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        widget.evaluate(PROMPT_KERNEL)
        assert widget.sent("hello")
        begin(widget)
        widget.wait_until(lambda: len(widget.sent("frame")) >= 10, "a second")
        assert (
            widget.evaluate("return getComputedStyle(document.querySelector('.level')).transform") != "none"
        )
        assert "Fake" in widget.find(".devices").text
        assert not widget.find(".devices").is_enabled()
        stop(widget)
        frames = widget.sent("frame")
        rate = frames[0]["sample_rate"]
        sizes = [frame["nBytes"] // 2 for frame in frames]
        assert set(sizes[:-1]) == {rate // 10}
        assert [frame["at"] for frame in frames] == [sum(sizes[:n]) for n in range(len(sizes))]
        (stopped,) = widget.sent("stop")
        assert stopped["n_samples"] == sum(sizes)
        assert {each["recording"] for each in [*frames, stopped]} == {stopped["recording"]}
        assert widget.text(".rtf") == "RTF 0,50"
        assert widget.text(".elapsed").startswith("0:0")
        assert not widget.find(".problem").is_displayed()


def test_views_of_one_widget_share_the_recording(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        widget.evaluate(PROMPT_KERNEL)
        begin(widget)
        widget.say(type="result", result={"kind": "final", "words": [word("Раз.")], "stable": 4})
        browser.driver.execute_async_script("show().then(arguments[0])")
        assert [each.text for each in widget.all(".talk")] == ["Остановить", "Остановить"]
        assert [each.text for each in widget.all(".utterance .line")] == ["Раз.", "Раз."]
        stop(widget)
        assert len({frame["recording"] for frame in widget.sent("frame")}) == 1


def test_a_widget_that_goes_away_lets_the_microphone_go(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        widget.evaluate(PROMPT_KERNEL)
        begin(widget)
        widget.evaluate("leave.reverse().forEach((left) => left())")
        n_frames = len(widget.sent("frame"))
        widget.evaluate("window.at = performance.now()")
        widget.wait_until(lambda: widget.evaluate("return performance.now() - at > 400"), "four frames")
        assert len(widget.sent("frame")) <= n_frames + 1


# -- what waits ---------------------------------------------------------------------------------------------


def test_a_busy_kernel_is_told_and_does_not_make_audio_pile_up_for_ever(browser):
    with shown(browser, MICROPHONE, TRAITS | {"_max_backlog_s": 3.5}) as widget:
        begin(widget)
        told = widget.wait_until(
            lambda: "Ядро занято" in widget.text(".status") and widget.text(".status"), "a word"
        )
        assert told.endswith("звука; ничего не теряется.")
        widget.wait_until(lambda: "ядро занято" in widget.text(".problem"), "the end")
        assert widget.sent("stop")
        seconds = sum(each["nBytes"] / 2 / each["sample_rate"] for each in widget.sent("frame"))
        assert 3.5 <= seconds < 4.5
        # It answers after all.
        (stopped,) = widget.sent("stop")
        widget.say(type="ended", recording=stopped["recording"], error=None, seconds=seconds)
        assert widget.text(".talk") == "Говорить"
        assert "ядро занято" in widget.text(".problem")


def test_a_recogniser_that_is_too_slow_is_told(browser):
    with shown(browser, MICROPHONE, TRAITS | {"_max_backlog_s": 3.5}) as widget:
        widget.evaluate(PROMPT_KERNEL.replace("n_recognised: n_received", "n_recognised: 0"))
        begin(widget)
        widget.wait_until(lambda: "Распознавание отстаёт на" in widget.text(".status"), "a word")
        widget.wait_until(lambda: "распознавание отстало на" in widget.text(".problem"), "the end")


def test_a_recording_has_a_longest_length(browser):
    with shown(browser, MICROPHONE, TRAITS | {"_max_duration_s": 0.5}) as widget:
        widget.evaluate(PROMPT_KERNEL)
        widget.find(".talk").click()
        widget.wait_until(lambda: "больше нельзя" in widget.text(".problem"), "the end")


def test_nobody_need_wait_for_a_kernel(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        begin(widget)
        widget.find(".talk").click()
        widget.wait_until(lambda: widget.text(".talk") == "Не ждать", "the stop")
        widget.find(".talk").click()
        assert widget.text(".talk") == "Говорить"
        assert widget.sent("abandon")


# -- what the kernel tells ----------------------------------------------------------------------------------


def test_partials_settle_into_finals(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        assert "Нажмите «Говорить»" in widget.evaluate(
            "return getComputedStyle(document.querySelector('.text'), '::before').content"
        )
        partial = {"kind": "partial", "words": [word("Раз"), word("<b>два</b>", 0.4)], "stable": 3}
        widget.say(type="result", result=partial)
        assert widget.text(".partial .line") == "Раз <b>два</b>"
        grey = widget.evaluate("return getComputedStyle(document.querySelector('.partial .line')).color")
        final = {"kind": "final", "words": [word("Раз,"), word("два.", 0.4, 0.5)], "stable": 9}
        widget.say(type="result", result=final)
        assert widget.all(".partial") == []
        assert widget.text(".utterance .line") == "Раз, два."
        assert widget.text(".utterance time") == "0:00"
        assert widget.text(".sureness").replace("\N{NO-BREAK SPACE}", " ") == "73 %"
        black = widget.evaluate("return getComputedStyle(document.querySelector('.utterance .sure')).color")
        assert black != grey
        assert "doubtful" in widget.all(".utterance .word")[1].get_attribute("class")
        assert widget.evaluate("return document.querySelector('.spoken').textContent") == "Раз, два."


def test_a_page_that_comes_again_shows_what_there_is(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        partial = {"kind": "partial", "words": [word("Три", 75)], "stable": 0}
        widget.say(
            type="state", utterances=[[word("Раз.")], [word("Два.", 70)]], partial=partial, seconds=76.0
        )
        assert [each.text for each in widget.all(".utterance .line")] == ["Раз.", "Два.", "Три"]
        assert widget.text(".elapsed") == "1:16"
        widget.find(".clear").click()
        assert widget.all(".utterance") == []
        assert widget.text(".elapsed") == "0:00"
        assert widget.sent("clear")


def test_what_was_cleared_does_not_come_back(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        begin(widget)
        widget.wait_until(lambda: widget.sent("frame"), "a frame")
        recording = widget.sent("frame")[0]["recording"]
        widget.find(".clear").click()
        assert widget.sent("clear")[0]["recording"] == recording
        assert widget.text(".talk") == "Говорить"
        result = {"kind": "final", "words": [word("Раз.")], "stable": 4}
        widget.say(type="result", recording=recording, result=result)
        assert widget.all(".utterance") == []


def test_a_failure_of_the_recogniser_is_told_and_stops(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        begin(widget)
        widget.wait_until(lambda: widget.sent("frame"), "a frame")
        recording = widget.sent("frame")[0]["recording"]
        widget.say(type="ended", recording=recording, error="ModelError: it broke", seconds=0.1)
        widget.wait_until(lambda: widget.sent("stop"), "the stop")
        widget.say(type="ended", recording=recording, error="ModelError: it broke", seconds=0.3)
        assert "Распознавание прервалось; запись сохранена." in widget.text(".problem")
        assert "ModelError: it broke" in widget.text(".problem")
        assert widget.text(".talk") == "Говорить"


def test_python_can_stop_and_clear(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        widget.evaluate(PROMPT_KERNEL)
        begin(widget)
        widget.wait_until(lambda: widget.sent("frame"), "a frame")
        widget.say(type="stop", recording=widget.sent("frame")[0]["recording"])
        widget.wait_until(lambda: widget.text(".talk") == "Говорить", "the end")
        widget.say(type="stop", recording="of a page that is gone")
        assert widget.sent("stop")[-1]["n_samples"] is None
        begin(widget)
        widget.say(type="cleared")
        assert widget.text(".talk") == "Говорить"


def test_a_kernel_that_is_gone_is_told(browser):
    with shown(browser, MICROPHONE, TRAITS) as widget:
        widget.evaluate("model.send = () => { throw new Error('Cannot send'); }")
        widget.find(".talk").click()
        widget.wait_until(lambda: "Ядро больше не отвечает" in widget.text(".problem"), "the error")
        assert widget.text(".talk") == "Говорить"


# -- what goes wrong with the microphone --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("NotAllowedError", "Доступ к микрофону запрещён"),
        ("NotFoundError", "Микрофон не найден"),
        ("NotReadableError", "возможно, его занимает другая программа"),
        ("TypeError", "Не удалось включить микрофон"),
    ],
)
def test_a_microphone_that_does_not_open_is_told(browser, name, told):
    before = (
        f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('no', '{name}'); }};\n"
    )
    with shown(browser, MICROPHONE, TRAITS, before=before) as widget:
        widget.find(".talk").click()
        widget.wait_until(lambda: told in widget.text(".problem"), "the error")
        assert widget.all(".problem a") == []
        assert widget.find(".talk").is_enabled()


def test_a_page_that_is_not_secure_is_told(browser):
    before = "Object.defineProperty(window, 'isSecureContext', {value: false});\n"
    with shown(browser, MICROPHONE, TRAITS, before=before) as widget:
        widget.find(".talk").click()
        widget.wait_until(lambda: "только страницам по HTTPS" in widget.text(".problem"), "the error")


def test_a_front_end_that_gives_no_microphone_is_told_with_a_way_out(browser):
    """As VS Code does: the frame of its notebooks has no permission for it."""
    with shown(browser, MICROPHONE, TRAITS, {"Permissions-Policy": "microphone=()"}) as widget:
        widget.find(".talk").click()
        widget.wait_until(lambda: "так поступает VS Code" in widget.text(".problem"), "the error")
        link = widget.find(".problem a")
        assert link.get_attribute("href") == "http://127.0.0.1:9876/"
        assert "python -m gigastt_lab.serve" in widget.text(".problem")


def test_a_microphone_that_is_pulled_out_keeps_what_it_heard(browser):
    before = """
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await open(wanted);
        [window.track] = stream.getAudioTracks();
        return stream;
      };
    """
    with shown(browser, MICROPHONE, TRAITS, before=before) as widget:
        widget.evaluate(PROMPT_KERNEL)
        begin(widget)
        widget.wait_until(lambda: widget.sent("frame"), "a frame")
        widget.evaluate("track.dispatchEvent(new Event('ended'))")
        widget.wait_until(lambda: "Микрофон отключился" in widget.text(".problem"), "the error")
        assert widget.sent("stop")[0]["n_samples"] > 0


# -- the other widgets --------------------------------------------------------------------------------------


VIEW = ("formats", "transcript", "losses", "panel", "transcript_view")
DROP = ("formats", "transcript", "losses", "audio_files", "panel", "file_drop")
CUT = {"kind": "cut", "message": "the file was cut", "start": 1.0, "end": 4.5}
TOLD = "В записи есть потери\nФайл обрезан: звук есть до 0:01,00 из 0:04,50."


def test_what_is_missing_of_a_file_stands_under_its_text(browser):
    with shown(browser, VIEW, {"_utterances": [[word("Раз.")]], "_warnings": [CUT]}) as widget:
        assert widget.text(".losses") == TOLD
        below = widget.find(".losses").location["y"] - widget.find(".text").location["y"]
        assert below >= widget.find(".text").size["height"]
    for traits in ({"_warnings": []}, {}):  # of a notebook that was saved before, there are none
        with shown(browser, VIEW, {"_utterances": [[word("Раз.")]], **traits}) as widget:
            assert not widget.find(".losses").is_displayed()


def test_a_click_on_a_word_plays_from_there(browser):
    flac = base64.b64encode(as_flac(np.zeros(5 * RATE, np.float32))).decode()
    before = f"traits._audio = Uint8Array.from(atob('{flac}'), (letter) => letter.charCodeAt(0));\n"
    traits = {"_utterances": [[word("Раз,", 0.5), word("два.", 2.5, 0.75)], [word("Три.", 4)]]}
    with shown(browser, VIEW, traits, before=before) as widget:
        widget.wait_until(lambda: widget.find("audio").is_displayed(), "the player")
        position = "return document.querySelector('audio').currentTime"
        widget.all(".text .word")[1].click()
        assert widget.evaluate(position) >= 2.5
        widget.wait_until(lambda: widget.all(".text .playing"), "the word that is heard")
        assert widget.text(".text .playing") == "два."
        widget.say(type="seek", at=4.0)
        assert widget.evaluate(position) >= 4.0
        widget.say(type="pause")
        assert widget.evaluate("return document.querySelector('audio').paused")
        assert [each.text for each in widget.all(".utterance time")] == ["0:00", "0:04"]
        colours = widget.evaluate(
            "return [...document.querySelectorAll('.text .word')].map((each) => getComputedStyle(each).color)"
        )
        assert colours[0] == colours[2] != colours[1]


def drop(widget: Harness, n_bytes: int) -> None:
    widget.evaluate(
        "const data = new DataTransfer(), file = new File([new Uint8Array(arguments[0])], 'said.wav');"
        "data.items.add(file);"
        "document.querySelector('.zone').dispatchEvent("
        "  new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}))",
        n_bytes,
    )


def test_a_file_is_sent_no_faster_than_the_kernel_takes_it(browser):
    with shown(browser, DROP, {"_max_bytes": 10**8}) as widget:
        drop(widget, 9_500_000)
        (file,) = widget.sent("file")
        assert (file["name"], file["n_bytes"]) == ("said.wav", 9_500_000)
        widget.say(type="received", file=file["file"], n_bytes=0)
        widget.wait_until(lambda: len(widget.sent("piece")) == 4, "four pieces")
        for n_pieces in range(1, 11):
            widget.say(type="received", file=file["file"], n_bytes=min(9_500_000, n_pieces * 10**6))
            widget.wait_until(
                lambda n=n_pieces: len(widget.sent("piece")) == min(10, n + 4), "as many more as were taken"
            )
        pieces = widget.sent("piece")
        assert [piece["at"] for piece in pieces] == [n * 10**6 for n in range(10)]
        assert pieces[-1]["nBytes"] == 500_000
        utterances = [[word("Раз.")], [word("Два.", 3)]]
        widget.say(type="part", file=file["file"], utterances=utterances, done_s=30.0, duration_s=60.0)
        assert widget.text(".status") == "said.wav: 0:30 из 1:00"
        widget.say(type="ended", file=file["file"], error=None)
        assert widget.text(".status") == "said.wav: готово, слов: 2."
        assert [each.text for each in widget.all(".utterance .line")] == ["Раз.", "Два."]


def test_what_is_missing_of_a_dropped_file_is_told_until_the_next(browser):
    with shown(browser, DROP, {"_max_bytes": 10**6}) as widget:
        drop(widget, 100)
        file = widget.sent("file")[0]["file"]
        hole = {"kind": "hole", "message": "nothing was recorded", "start": 0.2, "end": 0.5}
        part = {"type": "part", "file": file, "duration_s": 4.5}
        widget.say(**part, utterances=[[word("Раз.")]], warnings=[hole], done_s=0.8)
        widget.say(**part, utterances=[], warnings=[CUT], done_s=1.0)
        widget.say(type="ended", file=file, error=None)
        assert widget.text(".losses") == TOLD.replace("\n", "\nВ записи пропуски: с 0:00,20 по 0:00,50.\n")
        assert widget.text(".status") == (
            "said.wav: готово, слов: 1. В записи есть потери, они названы под текстом."
        )
        drop(widget, 100)
        assert not widget.find(".losses").is_displayed()
        assert ".amr" in widget.find("input").get_attribute("accept").split(",")


def test_a_file_can_be_called_off_and_one_that_fails_is_told(browser):
    with shown(browser, DROP, {"_max_bytes": 10**6}) as widget:
        drop(widget, 100)
        widget.find(".line button").click()
        assert widget.sent("cancel")
        assert widget.text(".status") == "Отменено."
        drop(widget, 100)
        widget.say(type="ended", file=widget.sent("file")[-1]["file"], error="not a known audio file")
        assert "Файл не распознан." in widget.text(".problem")
        assert "not a known audio file" in widget.text(".problem")
        drop(widget, 10**6 + 1)
        assert "Файл больше 1 МБ." in widget.text(".problem")
        assert len(widget.sent("file")) == 2


def test_the_file_can_be_chosen(browser, tmp_path: Path):
    (tmp_path / "said.wav").write_bytes(b"RIFF")
    with shown(browser, DROP, {"_max_bytes": 10**6}) as widget:
        widget.find("input").send_keys(str(tmp_path / "said.wav"))
        widget.wait_until(lambda: widget.sent("file"), "the file")
