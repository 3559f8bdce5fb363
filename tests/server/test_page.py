"""The page at `/` in a real browser: microphone, file, errors, and that it talks to nobody but its server."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
import soxr

from gigastt_lab.formats import as_json_word, render
from gigastt_lab.types import Transcript, Word
from tests.support.av_files import Track, av_file
from tests.support.browser import Browser, chromium, microphone_flags, require_browser
from tests.support.recordings import RATE, as_wav
from tests.support.server_process import ServerProcess, eventually, serving
from tests.support.websocket_client import said

pytestmark = pytest.mark.slow

MICROPHONE_RATE = 48_000
# A browser opens its microphone at a moment of its own, so the recogniser's frames lie elsewhere in the audio
# than they do for a file: of about fifteen words, one may come out otherwise.
MAX_OTHER_WORDS = 1


@pytest.fixture(scope="module")
def recording(speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's microphone plays: a moment of quiet, then three utterances with pauses."""
    require_browser()
    quiet = 1e-4 * np.random.default_rng(1).standard_normal(RATE)
    samples = soxr.resample(np.concatenate([quiet, speech]), RATE, MICROPHONE_RATE, "VHQ")
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    soundfile.write(path, samples, MICROPHONE_RATE, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(recording: Path, downloads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a microphone that it may use."""
    flags = microphone_flags(recording)
    with chromium(tmp_path_factory.mktemp("browser"), downloads, flags) as running:
        yield running


@contextmanager
def page(
    browser: Browser, server: ServerProcess, *, expected_complaint: str = "", host: str = ""
) -> Iterator[None]:
    """The page, freshly loaded. Fails in the end if it asked for anything elsewhere, or complained.

    Args:
        browser: Shows it.
        server: Serves it.
        expected_complaint: What the console may say: browsers log every answer that is an error.
        host: Another name for the server.
    """
    origin = f"{host or '127.0.0.1'}:{server.port}"
    browser.open(f"http://{origin}/")
    browser.wait_until(lambda: "gigaam-demo" in browser.text("model"), "the model's name")
    yield
    asked = [urlsplit(url) for url in browser.requested()]
    assert {url.path for url in asked if url.netloc} >= {"/", "/v1/models"}
    assert [url for url in asked if url.netloc != origin and url.scheme not in {"blob", "data"}] == []
    told = browser.complaints()
    assert [each for each in told if not expected_complaint or expected_complaint not in each] == []


def finals(browser: Browser) -> list[str]:
    """The paragraphs that will not change any more."""
    return browser.evaluate(
        "return [...document.querySelectorAll('.utterance:not(.partial) .line')]"
        ".map((each) => each.textContent)"
    )


def words_of_table(browser: Browser) -> list[list[str]]:
    """The table's rows: word, start, end, confidence, as they are written."""
    return browser.evaluate(
        "return [...document.querySelectorAll('#rows tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )


def number(shown: str) -> float:
    return float(shown.replace(",", ".").rstrip("%\N{NO-BREAK SPACE}"))


def n_other_words(reference: str, hypothesis: str) -> int:
    """Word errors between two texts."""
    import jiwer

    found = jiwer.process_words(reference, hypothesis)
    return found.substitutions + found.deletions + found.insertions


def drop(browser: Browser, name: str, content: str) -> None:
    """Drop a file on the page, as a user would."""
    browser.evaluate(
        "const data = new DataTransfer(); data.items.add(new File([arguments[1]], arguments[0]));"
        "document.getElementById('drop').dispatchEvent("
        "  new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}))",
        name,
        content,
    )


def choose(browser: Browser, path: Path) -> None:
    browser.element("file").send_keys(str(path))
    browser.wait_until(lambda: browser.text("status").startswith("Готово"), "the end of the file")


def test_what_is_spoken_is_shown_as_the_engines_own_stream_hears_it(browser, server, heard, recording):
    samples, rate = soundfile.read(recording, dtype="float32")
    session = heard.stream(rate)
    results = [*session.accept(samples), *session.finish()]
    expected = [result for result in results if result.kind == "final"]
    assert len(expected) == 3
    with page(browser, server):
        browser.click("talk")
        browser.wait_until(lambda: browser.evaluate("return document.querySelector('.partial')"), "a partial")
        browser.wait_until(lambda: len(finals(browser)) == 3, "three finals")
        browser.click("talk")
        browser.wait_until(lambda: browser.text("status").startswith("Готово"), "the end of the session")
        shown = finals(browser)
        assert len(shown) == 3
        text = " ".join(result.text for result in expected)
        assert n_other_words(text, " ".join(shown)) <= MAX_OTHER_WORDS
        # Audio that got lost, or was taken for another rate, would shift the last word against the first.
        rows = words_of_table(browser)
        lasts_s = expected[-1].words[-1].start - expected[0].words[0].start
        assert number(rows[-1][1]) - number(rows[0][1]) == pytest.approx(lasts_s, abs=0.3)
        # What was said can be played, and the meter and the device list know the microphone.
        browser.wait_until(lambda: browser.element("player").is_displayed(), "the player")
        assert "Fake" in browser.evaluate("return document.getElementById('device').textContent")
        assert re.fullmatch(r"0:\d\d", browser.text("elapsed"))
    eventually(lambda: server.available() == 4)


def test_a_file_is_shown_as_the_server_transcribes_it(browser, server, clear_clips, downloads):
    path = clear_clips[0].path
    expected = server.post("/v1/transcribe", path.read_bytes()).json
    with page(browser, server):
        assert browser.text("demo").startswith("Демонстрационная модель: не для настоящей речи")
        choose(browser, path)
        assert " ".join(finals(browser)) == expected["text"]
        browser.click("toggle")
        rows = words_of_table(browser)
        assert [word for word, *_ in rows] == [word["word"] for word in expected["words"]]
        for (_, start, end, confidence), word in zip(rows, expected["words"], strict=True):
            # A stream is recognised in frames of 40 ms; those of a file begin where the file does.
            assert number(start) == pytest.approx(word["start"], abs=0.1)
            assert number(end) == pytest.approx(word["end"], abs=0.1)
            assert 0 < number(confidence) <= 100
        browser.driver.find_element("css selector", "[data-format=json]").click()
        saved = eventually(lambda: next(downloads.glob(f"{path.stem}.json"), None))
        content = json.loads(saved.read_text(encoding="utf-8"))
        assert content["text"] == expected["text"]
        assert content["duration"] == pytest.approx(expected["duration"], abs=0.01)


def test_words_tell_their_times_and_lead_into_the_recording(browser, server, clear_clips):
    with page(browser, server):
        choose(browser, clear_clips[0].path)
        browser.wait_until(lambda: browser.element("player").is_displayed(), "the player")
        word = browser.driver.find_elements("css selector", "#text .word")[1]
        browser.evaluate("arguments[0].focus()", word)
        assert re.fullmatch(r"\d+,\d\d–\d+,\d\d с, уверенность \d+\s%", browser.text("tip"))
        word.click()
        start = browser.evaluate("return document.getElementById('player').currentTime")
        assert start >= browser.evaluate("return Number(document.getElementById('rows').rows[1].cells[1]"
                                         ".textContent.replace(',', '.'))") - 0.01  # fmt: skip


def test_downloads_are_those_of_the_package(browser, server):
    rng = np.random.default_rng(7)
    script = "return Formats.render[arguments[0]]({utterances: [arguments[1]], duration: 1000})"
    with page(browser, server):
        for _ in range(20):
            transcript = Transcript(random_words(rng), duration_s=1000.0)
            words = [as_json_word(word) for word in transcript.words]
            for name in ("txt", "srt", "vtt"):
                assert browser.evaluate(script, name, words) == render(transcript, name)
            made = json.loads(browser.evaluate(script, "json", words))
            assert made == json.loads(render(transcript, "json"))


@pytest.fixture
def cut(clear_clips, tmp_path) -> Path:
    """A WAV of an utterance of which the last third is missing."""
    data = as_wav(clear_clips[0].waveform)
    path = tmp_path / "cut.wav"
    path.write_bytes(data[: 44 + (len(data) - 44) * 2 // 3 // 2 * 2])
    return path


def test_what_is_missing_of_a_file_is_told_under_the_text_and_in_what_is_saved(
    browser, server, cut, clear_clips, downloads
):
    (warning,) = server.post("/v1/transcribe", cut.read_bytes()).json["warnings"]
    there, promised = (f"0:{warning[at]:05.2f}".replace(".", ",") for at in ("start", "end"))
    told = f"Файл обрезан: звук есть до {there} из {promised}."
    with page(browser, server):
        choose(browser, cut)
        assert browser.text("status").endswith("В записи есть потери, они названы под текстом.")
        assert browser.text("losses") == f"В записи есть потери\n{told}"
        saved = {name: save(browser, downloads / f"cut.{name}") for name in ("json", "txt", "vtt", "srt")}
        content = json.loads(saved["json"])
        assert content["warnings"] == [warning]
        assert content["duration"] == warning["start"]
        assert saved["txt"] == f"{content['text']}\n\n[{told}]\n"
        assert saved["vtt"].startswith(f"WEBVTT\n\nNOTE {told}\n\n00:00:0")
        assert told not in saved["srt"]
        assert "они есть в TXT, VTT и JSON" in browser.text("status")
        choose(browser, clear_clips[1].path)
        assert not browser.element("losses").is_displayed()
        assert "потери" not in browser.text("status")


def save(browser: Browser, path: Path) -> str:
    """What a button of the page saves."""
    browser.driver.find_element("css selector", f"[data-format={path.suffix[1:]}]").click()
    return eventually(lambda: path.exists() and path.read_text(encoding="utf-8"))


def test_a_track_of_several_can_be_chosen(browser, server, clear_clips, tmp_path):
    path = tmp_path / "two.mkv"
    tracks = [Track(clear_clips[n].waveform, language=language) for n, language in enumerate(("rus", "eng"))]
    path.write_bytes(av_file("matroska", tracks, picture=None))
    with page(browser, server):
        choose(browser, path)
        assert " ".join(finals(browser)) == clear_clips[0].text
        listed = "1 (aac, rus), 2 (aac, eng)"
        assert browser.text("losses") == (
            f"О файле\nВ файле несколько звуковых дорожек: {listed}; прочитана 1."
        )
        assert "потери" not in browser.text("status")
        browser.element("track").send_keys("2\n")
        browser.wait_until(lambda: " ".join(finals(browser)) == clear_clips[1].text, "the other track")
        browser.wait_until(lambda: browser.text("status").startswith("Готово"), "the end of the file")
        assert not browser.element("losses").is_displayed()


@pytest.mark.parametrize(
    ("warnings", "lines"),
    [
        ([("cut", 3725.999, None)], ["Файл обрезан: звук есть до 1:02:06,00."]),
        (
            [("phase", 0.0, 9.0), ("damaged", 59.996, 65.1), ("hole", 7.0, 9.0), ("damaged", 70.0, None)],
            [
                "Файл повреждён, не читается: с 1:00,00 по 1:05,10; с 1:10,00 до конца.",
                "В записи пропуски: с 0:07,00 по 0:09,00.",
                "Каналы в противофазе: с 0:00,00 по 0:09,00 (один перевёрнут).",
            ],
        ),
        ([("length", 1.0, 2.0)], ["В файле указана неверная длина: 0:01,00 вместо 0:02,00, прочитано всё."]),
        ([("clock", 1.0, None)], ["Часы файла сбиваются: 0:01,00 (дальше время идёт без скачка)."]),
        ([("of tomorrow", 1.0, 2.0)], ["Замечание к файлу. the message"]),
        ([("cut", None, None)], ["Файл обрезан. the message"]),
        (
            [
                (
                    "track",
                    None,
                    None,
                    "there are 2 audio tracks: 1 (ac3), 2 (aac, default); track 2 was read: so",
                )
            ],
            ["В файле несколько звуковых дорожек: 1 (ac3), 2 (aac, основная); прочитана 2."],
        ),
        ([("track", None, None)], ["В файле несколько звуковых дорожек. the message"]),
        (
            [("hole", 1.0, 2.0), ("hole", None, None, "so are 7 further places, 3.50 s with those above")],
            ["В записи пропуски: с 0:01,00 по 0:02,00; ещё мест: 7."],
        ),
    ],
)
def test_each_kind_of_warning_has_its_words(browser, server, warnings, lines):
    with page(browser, server):
        given = [
            {"kind": kind, "start": start, "end": end, "message": message[0] if message else "the message"}
            for kind, start, end, *message in warnings
        ]
        assert browser.evaluate("return Losses.lines(arguments[0])", given) == lines


def test_damage_up_to_the_end_shortens_the_recording_and_damage_within_does_not(browser, server):
    with page(browser, server):
        within = {"kind": "damaged", "message": "3.00 to 4.00 s could not be", "start": 3.0, "end": 4.0}
        behind = {"kind": "damaged", "message": "nothing behind 5.00 s can", "start": 5.0, "end": 9.0}
        ends = [browser.evaluate("return Losses.endS(arguments[0])", found) for found in
                ([], [within], [within, behind])]  # fmt: skip
        assert ends == [None, None, 5.0]


def test_notes_in_subtitles_end_no_cue_and_begin_none(browser, server):
    with page(browser, server):
        notes = ["a\n\n00:01.000 --> 00:02.000\nb", "<c>"]
        script = "return Formats.render.vtt({utterances: [], duration: 0, notes: arguments[0]})"
        made = browser.evaluate(script, notes)
        assert made == "WEBVTT\n\nNOTE a 00:01.000 --&gt; 00:02.000 b\n\nNOTE &lt;c&gt;\n"


def random_words(rng: np.random.Generator) -> tuple[Word, ...]:
    """Words of all lengths with pauses of all lengths, times in whole milliseconds, marks now and then."""
    marks = ["", "", "", ",", ".", "?", "…»", "—", '."', "&", "<"]
    lengths = [1, 3, 3, 6, 6, 6, 12, 12, 50]
    words, at_ms = [], 100
    for _ in range(rng.integers(1, 80)):
        text = "ы" * int(rng.choice(lengths)) + str(rng.choice(marks))
        start_ms = at_ms + int(rng.choice([0, 40, 499, 500, 900, -20]))
        at_ms = start_ms + int(rng.integers(0, 900))
        words.append(Word(text, start_ms / 1000, at_ms / 1000, 0.5))
    return tuple(words)


def test_a_file_can_be_called_off(browser, server, long_wav, tmp_path):
    path = tmp_path / "long.wav"
    path.write_bytes(long_wav)
    with page(browser, server):
        browser.element("file").send_keys(str(path))
        browser.wait_until(lambda: finals(browser), "the first final")
        assert not browser.element("talk").is_enabled()
        browser.click("cancel")
        browser.wait_until(lambda: browser.text("status") == "Отменено.", "the end of it")
        assert finals(browser)
        assert browser.element("talk").is_enabled()
        eventually(lambda: server.available() == 4)


def test_the_text_can_be_copied(browser, server, clear_clips):
    with page(browser, server):
        choose(browser, clear_clips[0].path)
        for name in ("clipboard-read", "clipboard-write"):
            granted = {"permission": {"name": name}, "setting": "granted", "origin": server.url}
            browser.driver.execute_cdp_cmd("Browser.setPermission", granted)
        browser.click("copy")
        browser.wait_until(lambda: browser.text("status") == "Скопировано.", "the copy")
        copied = browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
        assert copied == f"{clear_clips[0].text}\n"


def test_what_is_no_audio_is_said_in_words(browser, server):
    with page(browser, server, expected_complaint="400 (Bad Request)"):
        drop(browser, "notes.txt", "Это не звук, а заметки.")
        told = browser.wait_until(lambda: browser.text("problem"), "an error")
        assert "Сервер не принял аудио." in told
        assert "not a known audio file" in told
        assert not browser.element("again").is_displayed()  # the next try would end as this one
        assert finals(browser) == []


def test_names_and_texts_are_never_markup(browser, server):
    with page(browser, server, expected_complaint="400 (Bad Request)"):
        name = "<img src=x onerror=alert(1)>.wav"
        drop(browser, name, "no audio")
        browser.wait_until(lambda: browser.text("problem"), "an error")
        assert name in browser.text("name")
        nasty = {"kind": "track", "message": name, "start": None, "end": None}
        browser.evaluate("Losses.show(document.getElementById('losses'), [arguments[0]])", nasty)
        assert name in browser.text("losses")
        assert browser.driver.find_elements("tag name", "img") == []


def test_a_busy_server_can_be_asked_again(browser):
    with serving("--pool-size", "1", "--pool-checkout-timeout-secs", "0") as server, page(browser, server):
        with server.socket() as other:
            assert said(other)["type"] == "ready"
            browser.click("talk")
            browser.wait_until(lambda: "Сервер занят" in browser.text("problem"), "the error")
        eventually(lambda: server.available() == 1)
        browser.click("again")
        browser.wait_until(lambda: browser.text("status") == "Слушаю.", "the server's place")
        assert not browser.element("problem").is_displayed()
        browser.click("talk")
        browser.wait_until(lambda: browser.text("talk") == "Говорить", "the end of the session")


def test_a_caller_who_comes_too_often_is_told_when_to_come_again(browser):
    """Browsers do not tell why a WebSocket did not open; the page finds out."""
    with (
        serving("--rate-limit-per-minute", "1", "--rate-limit-burst", "1") as server,
        page(browser, server, expected_complaint="429"),
    ):
        browser.click("talk")
        told = browser.wait_until(lambda: browser.text("problem"), "the error")
        assert re.match(r"Слишком много запросов. Повторить можно через \d+ с.", told)


def test_a_server_that_is_too_slow_is_told(browser, server):
    with page(browser, server):
        browser.click("talk")
        browser.wait_until(lambda: browser.text("status") == "Слушаю.", "the server's place")
        # To fill the system's own buffers would take half a minute of audio.
        browser.evaluate("Object.defineProperty(WebSocket.prototype, 'bufferedAmount', {get: () => 2e6})")
        shown = browser.wait_until(lambda: browser.text("note"), "the backlog")
        assert re.fullmatch(r"Сервер не успевает: ждёт \d+ с звука.", shown)
        browser.click("talk")
        browser.wait_until(lambda: browser.text("talk") == "Говорить", "the end of the session")
        assert browser.text("note") == ""


def test_capture_alone(browser, server):
    """Frames of 100 ms at a rate that the server takes, whatever the hardware's; a device let go."""
    with page(browser, server):
        browser.click("microphone-title")  # an AudioContext runs only after the user did something
        found = browser.driver.execute_async_script("""
            const done = arguments[0], Own = AudioContext;
            AudioContext = class extends Own {
              constructor(options) { super({sampleRate: 96000, ...options}); }
            };
            const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            let track;
            navigator.mediaDevices.getUserMedia = async (wanted) => {
              const stream = await getUserMedia(wanted);
              [track] = stream.getTracks();
              return stream;
            };
            const sizes = [], peaks = [];
            (async () => {
              const microphone = await new Promise((resolve) => {
                const opening = Capture.start({
                  onFrame: (frame) => {
                    sizes.push(frame.length);
                    if (sizes.length === 5) resolve(opening);
                  },
                  onLevel: ({peak, rms}) => peaks.push([peak, rms]),
                });
              });
              await microphone.stop();
              done({rate: microphone.sampleRate, sizes, peaks, state: track.readyState});
            })();
        """)
        assert found["rate"] == 48_000
        *whole, last = found["sizes"]
        assert set(whole) == {4_800}
        assert 0 < last <= 4_800
        assert (
            sum(found["sizes"]) % 128 == 0
        )  # browsers process so many samples at once; none was left behind
        assert all(0 <= rms <= peak <= 1 for peak, rms in found["peaks"])
        assert found["state"] == "ended"


def test_what_was_heard_before_the_server_shuts_down_stays(browser):
    with serving() as server, page(browser, server):
        browser.click("talk")
        browser.wait_until(lambda: browser.driver.find_elements("css selector", ".utterance"), "some words")
        server.signal(signal.SIGTERM)
        assert_ended(browser, "Сервер завершает работу.")


def test_what_was_heard_before_a_sessions_limit_stays(browser):
    with serving("--max-session-secs", "8") as server, page(browser, server):
        browser.click("talk")
        assert_ended(browser, "Сеанс достиг предельной длительности.")


def assert_ended(browser: Browser, reason: str) -> None:
    """The server ended the session; what it had heard is on the page, and the microphone is off."""
    browser.wait_until(lambda: reason in browser.text("problem"), "the reason")
    assert finals(browser)
    assert browser.driver.find_elements("css selector", ".partial") == []
    assert browser.text("talk") == "Говорить"


def test_a_server_that_is_gone_is_told(browser):
    with serving() as server, page(browser, server, expected_complaint="ERR_CONNECTION_REFUSED"):
        assert server.end() == 0
        drop(browser, "a.wav", "anything")
        browser.wait_until(lambda: "Сервер не отвечает." in browser.text("problem"), "the error")
        assert browser.element("again").is_displayed()


def test_a_microphone_that_is_forbidden_is_told(server, recording, tmp_path):
    with (
        chromium(tmp_path, tmp_path, ["--deny-permission-prompts", *microphone_flags(None)]) as browser,
        page(browser, server),
    ):
        browser.click("talk")
        browser.wait_until(lambda: "Доступ к микрофону запрещён" in browser.text("problem"), "the error")
        assert browser.element("again").is_displayed()


def test_no_microphone_is_told(server, recording, tmp_path):
    with chromium(tmp_path, tmp_path, ["--use-fake-ui-for-media-stream"]) as browser, page(browser, server):
        browser.click("talk")
        browser.wait_until(lambda: "Микрофон не найден" in browser.text("problem"), "the error")


def test_plain_http_from_another_machine_has_no_microphone(recording, tmp_path):
    name = "stt.test"
    flags = [f"--host-resolver-rules=MAP {name} 127.0.0.1", *microphone_flags(recording)]
    with (
        serving("--allow-host", name) as server,
        chromium(tmp_path, tmp_path, flags) as browser,
        page(browser, server, host=name),
    ):
        browser.click("talk")
        browser.wait_until(lambda: "только страницам по HTTPS" in browser.text("problem"), "the error")
        assert not browser.element("again").is_displayed()


def test_a_server_that_asks_for_a_key_gets_the_one_that_is_typed(browser, clear_clips, tmp_path):
    keys = tmp_path / "keys"
    key = "page/key+of=32".replace("=", "") + "0123456789=="  # no subprotocol may have / or =
    keys.write_text(f"anna: {key}\n", encoding="utf-8")
    with serving("--api-key-file", str(keys)) as server:
        browser.open(f"{server.url}/")
        browser.wait_until(lambda: "нужен ключ" in browser.text("model"), "the question")
        browser.element("file").send_keys(str(clear_clips[0].path))
        browser.wait_until(lambda: browser.text("problem"), "the refusal of the file")
        assert browser.evaluate("return document.activeElement.id") == "key-text"
        for typed, told in (("not-the-right-key", ""), (key, "Сервер не знает этого ключа.")):
            browser.wait_until(lambda t=told: browser.text("key-wrong") == t, "the form")
            assert browser.element("key").is_displayed()
            browser.element("key-text").send_keys(typed, "\n")
        browser.wait_until(lambda: "gigaam-demo" in browser.text("model"), "the model's name")
        assert not browser.element("key").is_displayed()
        # The file that was refused is sent again by itself.
        browser.wait_until(lambda: browser.text("status").startswith("Готово"), "the end of the file")
        assert finals(browser)
        browser.click("talk")
        browser.wait_until(lambda: browser.text("status") == "Слушаю.", "the server's place")
        browser.click("talk")
        browser.wait_until(lambda: browser.text("talk") == "Говорить", "the end of the session")
        browser.driver.refresh()  # the key stays with the tab
        browser.wait_until(lambda: "gigaam-demo" in browser.text("model"), "the model's name")
        assert [told for told in browser.complaints() if "401 (Unauthorized)" not in told] == []
        assert [url for url in browser.requested() if key in url] == []
        browser.evaluate("sessionStorage.clear()")
        server.wait_for_line("GET /v1/ws 101 .* by anna")
        assert key not in server.log
