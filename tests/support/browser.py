"""A real browser for the tests of the page and the widgets, with a microphone that plays a file."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

WAIT_S = 60.0  # for what takes a moment; a loaded machine may need longer than one likes


def require_browser() -> None:
    """Skip the test where the browser is missing, unless GIGASTT_TEST_BROWSER=1 forbids that."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    missing += [] if find_spec("selenium") else ["the Python package selenium"]
    if not missing:
        return
    reason = f"this is tested in a browser, and there is no {' and no '.join(missing)}"
    if os.environ.get("GIGASTT_TEST_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


class Browser:
    """One window, and what it has asked for and complained about."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """A page; what others asked for before, the browser's own first one among them, is forgotten."""
        self.driver.get("about:blank")
        self.requested(), self.complaints()
        self.driver.get(url)

    def element(self, element_id: str) -> Any:
        return self.driver.find_element("id", element_id)

    def text(self, element_id: str) -> str:
        """What a user sees of an element; "" while it is hidden."""
        return str(self.element(element_id).text)

    def click(self, element_id: str) -> None:
        self.element(element_id).click()

    def evaluate(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait_until(self, is_so: Callable[[], Any], what: str) -> Any:
        """The first true value of `is_so`; fails with what the page shows where none comes."""
        from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
        from selenium.webdriver.support.ui import WebDriverWait

        # An element that the page has replaced meanwhile is no failure: it is looked up again.
        waiting = WebDriverWait(
            self.driver, WAIT_S, 0.1, ignored_exceptions=(StaleElementReferenceException,)
        )
        try:
            return waiting.until(lambda _: is_so())
        except TimeoutException:
            pytest.fail(f"waited {WAIT_S:g} s for {what}; the page shows: {self.text_of_all()}")

    def text_of_all(self) -> str:
        return str(self.driver.find_element("tag name", "body").text)

    def requested(self) -> list[str]:
        """Addresses of everything that was asked for since the last call: pages, scripts, sockets."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        addresses = []
        for message in messages:
            if message["method"] == "Network.requestWillBeSent":
                addresses.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                addresses.append(message["params"]["url"])
        return addresses

    def complaints(self) -> list[str]:
        """The console since the last call: exceptions, violations of the policy, failed requests."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@contextmanager
def chromium(profile: Path, downloads: Path, flags: Sequence[str] = ()) -> Iterator[Browser]:
    """A new browser with an empty profile, which talks to nobody by itself.

    Args:
        profile: A directory that it makes its profile in.
        downloads: Where it saves what is downloaded.
        flags: Further ones.
    """
    require_browser()
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
        "--disable-quic", "--disable-background-networking", "--disable-component-update",
        "--disable-dev-shm-usage", "--lang=ru", "--window-size=1280,900",
        f"--user-data-dir={profile / 'profile'}", *flags,
    ):  # fmt: skip
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # With the driver's path given, selenium looks for none, and downloads none.
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        # JupyterLab's current widget is the one that had the focus, which no window without a screen has.
        driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
        yield Browser(driver)
    finally:
        driver.quit()


def microphone_flags(recording: Path | None) -> list[str]:
    """Flags for a microphone: it plays a WAV file once, then silence; None: nobody has allowed it yet."""
    flags = ["--use-fake-device-for-media-stream"]
    if recording is not None:
        flags += ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={recording}%noloop"]
    return flags
