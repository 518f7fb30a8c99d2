"""`caret feedback`: report, plot, clear, as a user calls them."""

from __future__ import annotations

import json

import pytest

from completion.cli import main
from completion.errors import UsageError
from lsp.feedback.command import since
from lsp.feedback.events import Kind
from lsp.feedback.store import Store, default_path, read
from tests.lsp.feedback.made import NOW, event


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path() == tmp_path / "caret" / "feedback.sqlite3"
    return default_path()


@pytest.fixture
def kept(path):
    store = Store(path)
    found = []
    for number in range(40):
        name = f"c{number}"
        language = "python" if number % 4 else "rust"
        found.append(event(name, visible_ms=800 + number, language=language))
        if number % 3 == 0:
            found.append(event(name, Kind.ACCEPTED, accepted_bytes=9, language=language))
            for after in (30, 90, 180, 360):
                share = 1 - after / 720
                found.append(event(name, Kind.KEPT, after_s=after, kept_share=share))
    store.add(found)
    store.close()
    return path


def test_the_report_as_json(kept, capsys):
    assert main(["feedback", "report", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    (every,) = shown["all"]
    assert (every["shown"], every["accepted"], every["car"]["n"]) == (40, 14, 40)
    assert every["car"]["low"] < every["car"]["value"] == 0.35 < every["car"]["high"]
    assert [row["name"] for row in shown["language"]] == ["python", "rust"]
    assert every["cpr"]["360"]["value"] == 0.5


def test_the_report_as_tables(kept, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["feedback", "report"]) == 0
    out = capsys.readouterr().out
    for word in ("by language", "by scope", "by stop reason", "python", "rust", "35 %", "n=14"):
        assert word in out, word


@pytest.mark.parametrize(("ending", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_plot(kept, tmp_path, ending, begin):
    plot = tmp_path / f"rates.{ending}"
    assert main(["feedback", "report", "--plot", str(plot)]) == 0
    drawn = plot.read_bytes()
    assert drawn.startswith(begin)
    if ending == "svg":
        for text in (b"python (30)", b"after 360 s", b">(14)<"):
            assert text in drawn, text


def test_nothing_kept_yet_is_no_error(path, capsys):
    assert main(["feedback", "report"]) == 0
    assert "nothing is known yet" in capsys.readouterr().out
    assert main(["feedback", "report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["all"][0]["shown"] == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--plot", "rates.jpeg"], 2, "must end with"),
        (["--plot", "/nonexistent/rates.png"], 1, "No such file"),
        (["--since", "yesterday"], 2, "--since"),
    ],
)
def test_what_is_wrong_is_one_line(kept, capsys, words, status, said):
    assert main(["feedback", "report", *words]) == status
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_a_file_that_is_no_store_is_one_line(tmp_path, capsys):
    wrong = tmp_path / "notes.txt"
    wrong.write_text("not a database, and longer than its header would be" * 20)
    assert main(["feedback", "report", "--store", str(wrong)]) == 1
    err = capsys.readouterr().err
    assert str(wrong) in err and err.count("\n") == 1
    assert wrong.exists()


def test_since_takes_dates_and_spans():
    assert since("", NOW) == 0
    assert since("2d", NOW) == NOW - 2 * 86_400
    assert since("12h", NOW) == NOW - 12 * 3600
    assert since("2027-01-15", NOW) == pytest.approx(NOW, abs=2 * 86_400)
    with pytest.raises(UsageError):
        since("soon", NOW)


def test_since_leaves_out_what_was_before(kept, capsys):
    assert main(["feedback", "report", "--json", "--since", "2100-01-01"]) == 0
    assert json.loads(capsys.readouterr().out)["all"][0]["shown"] == 0


def test_clear_forgets(kept, capsys):
    assert main(["feedback", "clear"]) == 0
    assert list(read(kept)) == []
    assert str(kept) in capsys.readouterr().out
