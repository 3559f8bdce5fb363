"""JupyterLab and Notebook 7 as their users run them: a server on a free port, with an empty home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.support.browser import Browser

FrontEndName = Literal["lab", "notebook"]
PATHS: dict[FrontEndName, str] = {"lab": "lab/tree", "notebook": "notebooks"}
DEADLINE_S = 60.0
# News and updates would be asked of the network.
NOTIFICATIONS = {"checkForUpdates": False, "doNotDisturbMode": True, "fetchNews": "false"}


def require_jupyter() -> None:
    """Skip the test where a notebook is missing, unless GIGASTT_TEST_BROWSER=1 forbids that."""
    missing = [name for name in ("jupyterlab", "notebook", "ipykernel") if find_spec(name) is None]
    if not missing:
        return
    reason = f"the widgets are tested in a notebook, and there is no {' and no '.join(missing)}"
    if os.environ.get("GIGASTT_TEST_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Jupyter:
    """A server that runs.

    Attributes:
        url: Its address, with a slash.
        token: What lets one in.
        directory: Of its notebooks.
        settings: Directory of what a user has set.
    """

    url: str
    token: str
    directory: Path
    settings: Path

    def set(self, plugin: str, settings: dict[str, Any]) -> None:
        """What a user would set in a dialogue; for pages that are opened from now on."""
        path = self.settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings), encoding="utf-8")

    def write_notebook(self, name: str, cells: Sequence[str]) -> None:
        """A notebook of code cells."""
        import nbformat

        made = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(made, self.directory / name)

    def address(self, name: str, front_end: FrontEndName) -> str:
        return f"{self.url}{PATHS[front_end]}/{name}?token={self.token}&reset"


@contextmanager
def jupyter(home: Path) -> Iterator[Jupyter]:
    """A server; ended with the block.

    Args:
        home: A directory for all that it writes.
    """
    require_jupyter()
    places = {name: home / name.lower() for name in ("config", "data", "runtime", "settings", "workspaces")}
    directory = home / "notebooks"
    for place in (*places.values(), directory):
        place.mkdir()
    variables = {
        "JUPYTER_CONFIG_DIR": places["config"],
        "JUPYTER_DATA_DIR": places["data"],
        "JUPYTER_RUNTIME_DIR": places["runtime"],
        "JUPYTERLAB_SETTINGS_DIR": places["settings"],
        "JUPYTERLAB_WORKSPACES_DIR": places["workspaces"],
        "IPYTHONDIR": home / "ipython",
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0", f"--ServerApp.root_dir={directory}", "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    with (
        (home / "jupyter.log").open("w+", encoding="utf-8") as log,
        subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {k: str(v) for k, v in variables.items()}
        ) as process,
    ):
        try:
            told = _told(process, places["runtime"], home / "jupyter.log")
            server = Jupyter(told["url"], told["token"], directory, places["settings"])
            server.set("apputils-extension/notification", NOTIFICATIONS)
            yield server
        finally:
            process.terminate()  # it ends its kernels, too
            try:
                process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _told(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> dict[str, Any]:
    """What the server says of itself, once it listens."""
    end = time.monotonic() + DEADLINE_S
    while True:
        for path in runtime.glob("jpserver-*.json"):
            try:
                return dict(json.loads(path.read_text(encoding="utf-8")))
            except ValueError:  # it is being written
                continue
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"jupyter does not start:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.1)


class OpenNotebook:
    """A notebook in a browser, driven through the front end's own commands."""

    def __init__(self, browser: Browser, server: Jupyter, name: str, front_end: FrontEndName) -> None:
        self.browser = browser
        self.front_end = front_end
        browser.open(server.address(name, front_end))
        browser.wait_until(
            lambda: browser.evaluate(
                "return window.jupyterapp?.shell?.currentWidget?.content?.widgets?.length > 0"
                " && window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === 'idle'"
            ),
            "the notebook and its kernel",
        )

    def run(self, cell: int) -> None:
        """Start a cell; returns at once."""
        self.browser.evaluate(
            "const {shell, commands} = window.jupyterapp, notebook = shell.currentWidget.content;"
            "notebook.deselectAll(); notebook.activeCellIndex = arguments[0];"
            "commands.execute('notebook:run-cell');",
            cell,
        )

    def reload(self) -> None:
        """Save the notebook, its outputs too, and load the page again."""
        self.browser.driver.execute_async_script(
            "window.jupyterapp.shell.currentWidget.context.save().then(() => arguments[0]())"
        )
        self.browser.driver.refresh()

    def output(self, cell: int) -> str:
        """The text that a cell has printed so far."""
        return str(
            self.browser.evaluate(
                "return window.jupyterapp.shell.currentWidget.content.widgets[arguments[0]].model.outputs"
                ".toJSON().map((output) => [output.text ?? output.evalue ?? ''].flat().join('')).join('')",
                cell,
            )
        )

    def printed(self, cell: int) -> str:
        """Run a cell that prints, and what it printed."""
        self.run(cell)
        return str(self.browser.wait_until(lambda: self.output(cell), f"the output of cell {cell}"))
