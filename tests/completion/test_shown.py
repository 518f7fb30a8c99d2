"""What is printed of others' text: nothing that a terminal acts on."""

import asyncio
import io
import os
import pty
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.shown import one_line, shown, shown_bytes
from completion.terminal import Terminal
from completion.wire.own_server import OwnServer

ESC = "\x1b[2J\x1b]0;owned\x07\x9b31m\x08\x7f\r\x0b\u202e\u2066"
ACTED_ON = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def test_controls_are_shown_as_their_codes_and_text_stays_as_it_is():
    assert shown("\x1b[31mx") == "\\x1b[31mx"
    assert shown("a\u202eb") == "a\\u202eb"
    assert shown("a\tb\r\nc\n") == "a\tb\nc\n"
    assert shown("世界 🙂 é \\x1b") == "世界 🙂 é \\x1b"
    assert one_line("a\n\tb\r") == "a\\n\\tb\\x0d"
    assert shown_bytes(b"\xff\xc2\x9b\x1b") == b"\\xff\\x9b\\x1b"


@given(st.text() | st.text(alphabet=ESC + "\n\tab"))
def test_nothing_is_left_that_a_terminal_acts_on(text):
    assert not ACTED_ON.search(shown(text))
    assert not re.search(f"{ACTED_ON.pattern}|[\n\t]", one_line(text))


def test_a_console_shows_no_control_of_a_text_wherever_it_stands():
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Terminal(file=out, force_terminal=True, width=200)
    table = Table("head", title=Text(ESC))
    table.add_row(Text(ESC, "red"))
    for one in (ESC, Text(ESC, "bold"), table, Panel(Text(ESC), title=Text(ESC))):
        console.print(one, markup=False)
    console.rule(Text(ESC))
    own = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())  # its own styles
    assert not ACTED_ON.search(own)
    assert "owned" in own


# The programs --------------------------------------------------------------------------------------

NAME = "\x1b]0;owned\x07.py"


def caret(*words, **more):
    command = [sys.executable, "-m", "completion.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, **more)


@pytest.mark.parametrize(
    "words",
    [
        ("complete", f"{NAME}:1:1"),
        ("complete", f"{NAME}:x"),
        ("explain", f"{NAME}:9:9"),
        ("serve", "--model", NAME),
        ("serve", "--listen", NAME),
        ("serve", "--engine", NAME),
        ("serve", NAME),
        ("eval", "slices", "--data", NAME),
        ("eval", "report", NAME),
    ],
)
def test_an_error_about_a_name_is_one_line_that_drives_nothing(words, tmp_path):
    done = caret(*words, env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert not ACTED_ON.search(done.stdout + done.stderr)
    assert "owned" in done.stderr


def test_what_is_wrong_in_a_configuration_is_said_without_its_controls(tmp_path):
    (tmp_path / "caret").mkdir()
    (tmp_path / "caret" / "config.toml").write_text('[client]\nlines = "\\u001b[2J\\n"\n')
    (tmp_path / "a.py").write_text("x = 1\n")
    env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    done = caret("complete", f"{tmp_path}/a.py:9:9", env=env)
    assert not ACTED_ON.search(done.stderr)


@pytest.fixture(scope="module")
async def hostile_model():
    """A service that goes on with what stands in the document, controls and all."""
    async with OwnServer(extra_args=["--engine", "fake"]) as server:
        yield server


@pytest.fixture
def document(tmp_path):
    """A file whose name and text want to drive the terminal, and the place to complete at."""
    path = tmp_path / NAME
    path.write_text("first = call('\x1b[2J\x1b]0;owned\x07\u202e')\nsecond = call('")
    return f"{path}:2:16"


async def on_a_terminal(*words):
    """Run `caret` with its standard output on a terminal; return what came there, and its status."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "completion.cli", *words, stdin=subprocess.DEVNULL, stdout=theirs,
        stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
    )  # fmt: skip
    os.close(theirs)

    def read():
        data = b""
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # the other side is closed
                return data
            if not piece:
                return data
            data += piece

    data = await asyncio.to_thread(read)
    os.close(ours)
    return data.decode(), await process.wait()


def without_styles(text):
    """Return what was shown, less line ends as a terminal has them and rich's own styles."""
    return re.sub(r"\x1b\[[\d;]*m", "", text.replace("\r\n", "\n"))


@pytest.mark.parametrize("command", ["complete", "explain"])
async def test_generated_text_and_names_on_a_terminal_drive_nothing(
    hostile_model, document, command
):
    words = [command, document, "--server", str(hostile_model.address)]
    text, status = await on_a_terminal(*words)
    assert status == 0, text
    assert "owned" in text
    assert not ACTED_ON.search(without_styles(text))


async def test_a_pipe_gets_the_bytes_as_they_are(hostile_model, document):
    words = ["complete", document, "--server", str(hostile_model.address)]
    done = await asyncio.to_thread(caret, *words)
    assert "\x1b[2J" in done.stdout, "else the test before this one says nothing"
