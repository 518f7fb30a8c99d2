"""`caret eval` as it is called: words, refusals, what it prints, and that a kill loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import eval.suites
from completion.cli import main
from eval.commands.eval import WORDS
from tests.eval.running.test_run import timeless
from tests.eval.tiny import TEXTS, Running, Tiny

SUITE = "humaneval-infilling:single-line"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CARET_DATA", str(tmp_path / "no-data"))


@pytest.fixture
def tiny(monkeypatch):
    suites = {"tiny": Tiny, "tiny-running": Running}
    monkeypatch.setattr(eval.suites, "suite_named", lambda name: suites[name]())


def hand_made(path, count=30):
    """Items in the published format of HumanEval-Infilling, made by hand, under a name of their own."""
    rows = [
        {
            "task_id": f"Hand/{n}",
            "entry_point": "f",
            "prompt": f"def f(x):\n    # {n}\n",
            "suffix": "    return y\n",
            "canonical_solution": f"    y = x + {n}\n",
            "test": f"\ndef check(f):\n    assert f(1) == {n + 1}\n",
        }
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_the_table_has_raw_and_cut_side_by_side(tiny, capsys):
    assert main(["eval", "tiny", "--engine", "half"]) == 0
    out = capsys.readouterr().out
    (row,) = [line for line in out.splitlines() if line.startswith("exact")]
    assert row.split()[:2] == ["exact,", "%"]
    assert row.split()[2::2] == ["12.5", "12.5", "8"]
    assert "fewer than 200 items (8)" in out
    assert "by kind" in out


def test_the_result_on_standard_output_is_nothing_but_json(tiny, capsys):
    assert main(["eval", "tiny", "--engine", "oracle", "--json", "-"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["suite"] == "tiny"
    assert table["metrics"]["exact"]["value"] == 1.0
    assert [record["reference"] for record in table["items"]] == list(TEXTS)


def test_progress_goes_to_standard_error_and_quiet_is_quiet(tiny, capsys):
    main(["eval", "tiny", "--engine", "oracle"])
    assert "answers: 8 of 8" in capsys.readouterr().err
    main(["eval", "tiny", "--engine", "oracle", "--quiet"])
    assert capsys.readouterr().err == ""


def test_a_finished_file_is_shown_and_said(tiny, capsys, tmp_path):
    words = ["eval", "tiny", "--engine", "oracle", "--json", str(tmp_path / "r.json")]
    assert main(words) == 0
    before = (tmp_path / "r.json").read_bytes()
    capsys.readouterr()
    assert main(words) == 0
    shown = capsys.readouterr()
    assert "holds this run already; --fresh" in shown.err
    assert "exact" in shown.out
    assert (tmp_path / "r.json").read_bytes() == before
    assert main([*words, "--limit", "2"]) == 2
    assert "--fresh" in capsys.readouterr().err
    assert main([*words, "--limit", "2", "--fresh"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["humaneval-infiling:single-line"], f"did you mean {SUITE}"),
        (["nonsense"], "unknown suite nonsense"),
        ([SUITE, "--engine", "orakel"], "unknown engine orakel: known are server"),
        ([SUITE, "--limit", "-1"], "--limit must be at least 0, not -1"),
        ([SUITE, "--workers", "0"], "--workers must be at least 1"),
        ([SUITE, "--samples", "0", "--temperature", "1"], "--samples must be at least 1"),
        ([SUITE, "--samples", "5"], "all alike without a --temperature"),
        ([SUITE, "--temperature", "nan"], "--temperature must be at least 0"),
        ([SUITE, "--temperature", "3"], "--temperature must be at least 0 and at most 2"),
        ([SUITE, "--top-p", "0", "--temperature", "1"], "--top-p must be above 0"),
        ([SUITE, "--engine", "oracle", "--server", "unix:/x"], "--engine oracle asks none"),
        ([SUITE, "--server", "unix:/x", "--model", "m"], "--model is for a server that is started"),
        ([SUITE, "--engine", "half", "--model", "m"], "--engine half has none"),
        ([SUITE, "--engine", "ensemble"], "name the other with --second DIR"),
        ([SUITE, "--engine", "byte-greedy", "--second", "m"], "--second is of two models"),
        ([SUITE, "--engine", "in-process", "--weight", "0.5"], "--weight is of two models"),
        ([SUITE, "--engine", "ensemble", "--second", "m", "--weight", "1"], "below 1, not 1"),
        ([SUITE, "--engine", "ensemble", "--second", "m", "--weight", "nan"], "below 1, not nan"),
        ([SUITE, "--engine", "ensemble", "--second", "/no/such"], "'/no/such' is no folder"),
        ([SUITE, "--engine", "byte-greedy", "--temperature", "1"], "leave --temperature out"),
        ([SUITE, "--engine", "byte-greedy", "--healing", "one-token"], "--healing exact or off"),
        (
            [SUITE, "--engine", "byte-greedy", "--server", "unix:/x"],
            "--engine byte-greedy asks none",
        ),
        ([SUITE, "--server", "nowhere"], "neither HOST:PORT nor unix:PATH"),
        ([SUITE, "--engine", "oracle", "--data", "/no/such"], "/no/such"),
        ([SUITE, "--engine", "oracle", "--json", "/"], "is a folder"),
        ([SUITE, "--engine", "oracle", "--json", "/dev/null"], "is a device; name a file, or -"),
        ([SUITE, "--engine", "oracle", "--json", "/dev/null/x"], "/dev/null"),
        ([SUITE, "--engine", "oracle", "--json", ""], "--json: the name is empty"),
        ([SUITE, "--engine", "oracle", "--data", ""], "--data is empty"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(words, said, capsys, tmp_path):
    data = [] if "--data" in words else ["--data", hand_made(tmp_path / "own.jsonl")]
    assert main(["eval", *words, *data]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert said in err


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["compare", "a", "b", "--bogus"], "usage: caret eval compare"),
        (["report", "a", "--bogus"], "usage: caret eval report"),
        (["list", "--bogus"], "usage: caret eval list"),
        ([SUITE, "--bogus"], "usage: caret eval SUITE"),
    ],
)
def test_an_unknown_option_shows_the_usage_of_its_own_word(words, usage, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["eval", *words])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith(usage)
    assert "unrecognized arguments: --bogus" in err


def test_a_result_at_a_link_goes_where_it_points(tiny, tmp_path):
    link, target = tmp_path / "link.json", tmp_path / "target.json"
    link.symlink_to(target)
    words = ["eval", "tiny", "--engine", "oracle", "--quiet", "--json", str(link)]
    assert main(words) == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["suite"] == "tiny"
    assert sorted(path.name for path in tmp_path.glob("*.json*")) == ["link.json", "target.json"]
    assert main(words) == 0


def test_missing_data_says_how_to_get_it(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert main(["eval", SUITE, "--engine", "oracle"]) == 2
    assert "to get it" in capsys.readouterr().err


def test_the_list_names_every_suite_and_how_to_get_its_data(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert main(["eval", "list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in eval.suites.SUITES)
    assert main(["eval", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(eval.suites.SUITES)
    first = rows[0]
    assert first["available"] is False
    assert first["data"].startswith("missing: ")
    assert first["about"]


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_help_of_its_own(word, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["eval", word, "--help"])
    assert ended.value.code == 0
    assert f"usage: caret eval {word}" in capsys.readouterr().out


def test_the_help_names_the_words(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["eval", "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert all(f"caret eval {word}" in out for word in WORDS)


def test_debug_shows_the_traceback_of_a_word_and_of_a_run():
    for words in (["nonsense"], ["compare", "/no/a.json", "/no/b.json"]):
        command = [sys.executable, "-m", "completion.cli", "eval", *words]
        shown = subprocess.run([*command, "--debug"], capture_output=True, text=True, check=False)
        assert "Traceback" in shown.stderr
        plain = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in plain.stderr
        assert plain.returncode == 2


def heed_interrupts():
    """Undo what a shell does to its background jobs, should these tests run in one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_at_any_moment_the_same_command_ends_with_the_same_figures(tmp_path, how):
    data = hand_made(tmp_path / "own.jsonl")
    serve = [sys.executable, "-m", "completion.cli", "serve", "--engine", "fake",
             "--fake-delay-ms", "5", "--listen", f"unix:{tmp_path}/s"]  # fmt: skip
    command = [sys.executable, "-m", "completion.cli", "eval", SUITE, "--data", data,
               "--server", f"unix:{tmp_path}/s", "--limit", "24", "--workers", "2",
               "--no-baselines"]  # fmt: skip
    server = subprocess.Popen(serve, stderr=subprocess.DEVNULL)
    try:
        while not (tmp_path / "s").exists():
            assert server.poll() is None
            time.sleep(0.02)
        whole = [*command, "--json", str(tmp_path / "whole.json")]
        subprocess.run(whole, check=True, capture_output=True)
        cut, journal = (
            [*command, "--json", str(tmp_path / "cut.json")],
            tmp_path / "cut.json.partial",
        )
        kills = 0
        for at_least in (2, 9, 15):
            process = subprocess.Popen(
                cut, stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL,
                preexec_fn=heed_interrupts,
            )  # fmt: skip
            while process.poll() is None:
                if journal.exists() and journal.read_bytes().count(b'"item"') >= at_least:
                    os.kill(process.pid, how)
                    kills += 1
                    break
                time.sleep(0.001)
            said = process.communicate()[1]
            assert process.returncode == (130 if how is signal.SIGINT else -how)
            assert how is signal.SIGKILL or "items are safe; the same command goes on" in said
            assert "Traceback" not in said
        assert kills == 3
        subprocess.run(cut, check=True, capture_output=True)
    finally:
        server.terminate()
        server.wait()
    assert not journal.exists()
    tables = [strip(tmp_path / name) for name in ("whole.json", "cut.json")]
    assert tables[0] == tables[1]


def strip(path):
    from eval.result import read_result

    table = timeless(read_result(path))
    del table["latency"]
    for record in table["items"]:
        del record["timings"]
    return table
