"""A real VS Code for tests: code-server with the extension in it, a browser before it, one workspace.

``with Workbench(...) as workbench`` starts both in their own process groups and ends them all.
Nothing leaves the machine. It waits for what is on the screen or on disk, never for a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import psutil

from completion.wire.environment import child_environment
from tests.e2e.install_vscode import Tools
from tests.e2e.kept import Kept

DRIVER = Path(__file__).with_name("driver.mjs")

QUIET: dict[str, Any] = {
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.layoutControl.enabled": False,
    "window.commandCenter": False,
    "chat.disableAIFeatures": True,
    "chat.commandCenter.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
    "security.workspace.trust.enabled": False,
    "git.enabled": False,
    "git.openRepositoryInParentFolders": "never",
    "files.simpleDialog.enable": True,
    "workbench.reduceMotion": "on",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.editor.useModal": "off",
    "editor.minimap.enabled": False,
    "editor.wordBasedSuggestions": "off",
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
}
"""Settings that keep everything but the editor off the screen, and the popup out of the way."""


class Workbench:
    """One window on one folder, with the settings of its machine and of its user.

    ``environment`` goes to all processes, and so to ``caret``.
    """

    def __init__(
        self,
        tools: Tools,
        vsix: Path,
        home: Path,
        *,
        machine: Mapping[str, Any],
        settings: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._tools, self._vsix, self.home = tools, vsix, home
        self.folder = home / "project"
        self._user = home / "data" / "User" / "settings.json"
        self._machine, self._settings = machine, {**QUIET, **settings}
        self._environment = {
            **child_environment(),
            **{
                f"XDG_{kind}_HOME": str(home / kind.lower())
                for kind in ("CONFIG", "DATA", "STATE")  # what the engine has compiled is kept
            },
            "XDG_RUNTIME_DIR": str(home / "run"),
            "EXTENSIONS_GALLERY": '{"serviceUrl":"http://127.0.0.1:9/"}',  # nothing is fetched
            "DO_NOT_TRACK": "1",
            **(environment or {}),
        }
        self._environment.pop("VSCODE_IPC_HOOK_CLI", None)
        self._server: subprocess.Popen[bytes] | None = None
        self._driver: subprocess.Popen[str] | None = None
        self._log = home / "code-server.log"
        self._port = 0
        self._kept = Kept(home / "state", home / "data" / "logs", self._log)

    @property
    def pid(self) -> int:
        """The process that all others of the workbench come from."""
        assert self._server is not None
        return self._server.pid

    def __enter__(self) -> Workbench:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.home / "run").mkdir(mode=0o700, exist_ok=True)
        self.set({})
        _write(self.home / "data" / "Machine" / "settings.json", self._machine)
        node, server = str(self._tools.node), str(self._tools.code_server)
        places = [f"--user-data-dir={self.home / 'data'}",
                  f"--extensions-dir={self.home / 'extensions'}"]  # fmt: skip
        subprocess.run(
            [node, server, *places, f"--install-extension={self._vsix}"],
            env=self._environment, check=True, capture_output=True, timeout=240,
        )  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [node, server, *places, "--auth=none", f"--bind-addr=127.0.0.1:{self._port}",
                 "--disable-telemetry", "--disable-update-check", "--disable-workspace-trust",
                 "--reconnection-grace-time=1", str(self.folder)],
                env=self._environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until(self._answers, "code-server answers", seconds=120)
        self._driver = subprocess.Popen(
            [node, str(DRIVER), str(self._tools.modules), str(self._tools.chromium)],
            env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=sys.stderr, text=True, start_new_session=True,
        )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Extension hosts outlive the browser: whole groups are ended.
        shared = self.processes()
        for process in (self._driver, self._server):
            if process is not None:
                _end_group(process)
        for process in shared:  # the server that all editors share outlives them all
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if error is None:
            self._kept.assert_nothing()

    def processes(self) -> list[psutil.Process]:
        """Return the processes that came of it, the shared completion server included."""
        found = psutil.Process(self.pid).children(recursive=True)
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or ()
            if process not in found and any(str(self.home / "run") in word for word in words):
                found += [process, *process.children(recursive=True)]
        return found

    def _answers(self) -> bool:
        assert self._server is not None
        if self._server.poll() is not None:
            raise RuntimeError(f"code-server ended:\n{self._log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def set(self, changes: Mapping[str, Any]) -> None:
        """Change the user's settings, in their editor where the window is open; None takes one away.

        The workbench does not see the file itself change.
        """
        self._settings.update(changes)
        kept = {key: value for key, value in self._settings.items() if value is not None}
        if self._driver is None:
            _write(self._user, kept)
            return
        self.command("Preferences: Open User Settings (JSON)")
        self.ask("wait", selector=".tab.active:has-text('settings.json')")

        def is_written() -> bool:
            self.ask("focus")
            self.press("Control+a")
            self.ask("insert", text=json.dumps(kept))
            self.press("Control+Shift+End", "Delete")  # what was closed by itself
            self.press("Control+s")
            end = time.monotonic() + 5
            while time.monotonic() < end:
                with contextlib.suppress(ValueError):  # it is being written
                    if json.loads(read(self._user)) == kept:
                        return True
                time.sleep(0.05)
            return False

        until(is_written, "the settings are saved")
        self.command("View: Close Editor")
        self.ask("wait", selector=".tab.active:has-text('settings.json')", state="detached")
        self.ask("wait", selector=".editor-instance .monaco-editor.focused")

    def ask(self, command: str, **words: Any) -> Any:
        """Have the driver do something; return what it found.

        Raises:
            AssertionError: when it could not.
        """
        driver = self._driver
        assert driver is not None and driver.stdin is not None and driver.stdout is not None
        driver.stdin.write(json.dumps({"name": command, **words}) + "\n")
        driver.stdin.flush()
        timer = threading.Timer(120, driver.kill)
        timer.start()
        try:
            line = driver.stdout.readline()
        finally:
            timer.cancel()
        assert line, f"the driver ended at {command}"
        answer = json.loads(line)
        assert "error" not in answer, f"{command}: {answer['error']}"
        return answer["result"]

    def open(self, name: str, text: str) -> Path:
        """Write a file into the workspace, open it in a new window, put the cursor at its end."""
        path = self.show(name, text)
        self.ask("focus")
        lines = len(re.split("\r\n|\r|\n", text))

        def is_at_end() -> bool:
            # Pressed again where the window had set its cursor only after the key.
            self.press("Control+End")
            return self.ask("position", wanted=f"Ln {lines},", timeout=2000)

        until(is_at_end, "the cursor is at the end")
        return path

    def show(self, name: str, text: str, *, at: tuple[int, int] | None = None) -> Path:
        """Write a file into the workspace and open it in a new window, at a line and column from 1."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        self._kept.opened(text)
        remote = f"vscode-remote://127.0.0.1:{self._port}{quote(str(path))}"
        words = [["openFile", remote]]
        if at is not None:
            words = [["openFile", f"{remote}:{at[0]}:{at[1]}"], ["gotoLineMode", "true"]]
        payload = quote(json.dumps(words))
        base = f"http://127.0.0.1:{self._port}"
        self.ask("goto", url=f"{base}/?folder={quote(str(self.folder))}&payload={payload}")
        return path

    def press(self, *keys: str) -> None:
        """Press keys one after the other, each as playwright spells it."""
        self.ask("press", keys=keys)

    def type(self, text: str, *, delay_ms: int = 0) -> None:
        """Type."""
        self.ask("type", text=text, delay=delay_ms)

    def ghost(self, *, wait: bool | None = True, seconds: float = 60) -> str:
        """Return the ghost text on the screen; wait until there is some (or, False, none)."""
        words = {} if wait is None else {"wait": wait}
        return self.ask("ghost", timeout=seconds * 1000, **words)

    def suggested(self) -> str:
        """Ask for ghost text at the cursor, and return it."""
        self.press("Alt+\\")
        return self.ghost()

    def command(self, title: str) -> None:
        """Run a command by its title in the palette."""
        self.ask("palette", title=title)

    def status(self) -> str:
        """Return what the status item says."""
        return self.ask("status", id="caret.caret.caret")["label"]

    def status_becomes(self, wanted: str, seconds: float = 60) -> None:
        """Wait until the status item says ``wanted``."""
        try:
            until(lambda: wanted in self.status(), f"the status says {wanted}", seconds=seconds)
        except AssertionError:
            self.screenshot(f"not {wanted}")
            raise

    def saved(self, path: Path, before: str) -> str:
        """Save the active file; return its text once it is no longer ``before``."""

        def is_saved() -> bool:
            self.press("Control+s")  # again: what changes the text may take its time
            return read(path) not in (before, "")  # empty: it is being written

        until(is_saved, f"{path.name} is saved")
        return read(path)

    def screenshot(self, name: str) -> None:
        """Take a picture where ``$CARET_SCREENSHOTS`` says; without it, none."""
        if folder := os.environ.get("CARET_SCREENSHOTS"):
            self.ask("screenshot", path=str(Path(folder) / f"{name}.png"))


def read(path: Path) -> str:
    """Return a file's text with its line ends as they are."""
    return path.read_bytes().decode()


def until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Return once ``holds`` is true.

    Raises:
        AssertionError: when it is not in time.
    """
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"in {seconds:.0f} s it was never so: {what}"
        time.sleep(0.05)


def _write(path: Path, settings: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2))


def _end_group(process: subprocess.Popen[Any]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
