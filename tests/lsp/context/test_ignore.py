"""Which files may be read: what git says of them, and what is never read whatever git says."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from completion.config import ContextConfig
from lsp.context.ignore import Rules

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

NAMES = [
    "a",
    "b",
    "build",
    "keep",
    "a.py",
    "b.py",
    "a.log",
    "keep.log",
    ".hidden",
    "sp ace",
    "#x",
    "!y",
]
PATTERNS = [
    "a", "b/", "/a", "/build", "build/", "*.log", "!keep.log", "!a", "!b/", "*", "!*/", "!*.py",
    "a/*", "!a/keep", "**/keep", "a/**", "**/a/b", "a/**/b", "*.py", "/*.py", "!/a.py", "[ab].py",
    "a?", "?", ".*", "!.hidden", "sp ace", "sp*", "\\#x", "\\!y", "#x", "!y", "", " ", "a/ ", "keep ",
    "keep\\ ", "build/a", "/build/*", "!/build/keep", "*/a.py", "a.py\r", "b\r", "**", "**/", "/**",
    "a//b", "/", "!", "[z-a]", "[", "a[", "[!a]", "[^a].py", "\\a", "*.*", "!a/", "k*p", "/*/keep",
]  # fmt: skip


def git(root: Path, *arguments: str, data: bytes = b"") -> bytes:
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1",
        "XDG_CONFIG_HOME": str(root / ".none"),
    }  # fmt: skip
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=environment, input=data, capture_output=True
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def ignored_by_git(root: Path, paths: list[str]) -> set[str]:
    """What `git check-ignore` names; as a file that is not tracked, whatever is above it."""
    data = b"".join(os.fsencode(path) + b"\0" for path in paths)
    found = git(root, "check-ignore", "-z", "--stdin", "--no-index", data=data)
    return {os.fsdecode(path) for path in found.split(b"\0") if path}


def grow(root: Path, rng: random.Random) -> list[str]:
    """Make folders, files and ignore files of every kind; return the files' paths."""
    files: list[str] = []
    waiting = [("", 0)]
    while waiting:
        folder, depth = waiting.pop()
        if rng.random() < (1.0 if not folder else 0.4):
            lines = rng.choices(PATTERNS, k=rng.randrange(1, 7))
            (root / folder / ".gitignore").write_bytes("\n".join(lines).encode())
        for name in rng.sample(NAMES, rng.randrange(2, 7)):
            if "." not in name[1:] and depth < 3 and rng.random() < 0.6:
                (root / folder / name).mkdir()
                waiting.append((f"{folder}{name}/", depth + 1))
            else:
                (root / folder / name).write_bytes(b"x")
                files.append(folder + name)
    return files


@needs_git
def test_random_trees_are_ignored_as_git_ignores_them(tmp_path):
    for seed in range(60):
        root = tmp_path / str(seed)
        root.mkdir()
        git(root, "init", "-q")
        rng = random.Random(seed)
        (root / ".git/info/exclude").write_text("\n".join(rng.choices(PATTERNS, k=2)))
        files = grow(root, rng)
        theirs = ignored_by_git(root, files)
        rules = Rules.of(root, ContextConfig())
        ours = {path for path in files if rules.allows(Path(path)) == "ignored"}
        assert ours == theirs, (seed, ours ^ theirs)
