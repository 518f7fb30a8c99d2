"""What a newcomer does first: the demo, the doctor, a completion from the shell."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.e2e]


def caret(*words):
    command = [sys.executable, "-m", "completion.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_demo_shows_three_cursors_and_where_the_time_went():
    result = caret("demo", "--json")
    assert result.returncode == 0, result.stderr
    shown = json.loads(result.stdout)["cursors"]
    names = ["in the middle of a line", "in the middle of a word", "a whole block"]
    assert [cursor["cursor"] for cursor in shown] == names
    assert any(cursor["suggestion"] for cursor in shown)
    for cursor in shown:
        if cursor["stages"]:
            assert 0 < cursor["stages"]["first_token"] <= cursor["stages"]["total"]
            assert cursor["stages"]["total"] <= cursor["milliseconds"]
        assert cursor["stop_reason"]


def test_the_doctor_finds_nothing_missing():
    result = caret("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert result.returncode == 0, result.stdout
    assert checks["vllm"]["status"] == "ok"
    assert checks["model"]["found"].startswith("caret-")


def test_the_shell_completes_a_file(service, tmp_path):
    path = tmp_path / "a.py"
    path.write_text("import os\n\nfor name in os.listdir(")
    result = caret("complete", "--server", str(service.address), "--json", f"{path}:3:24")
    answer = json.loads(result.stdout)
    assert result.returncode == 0
    assert answer["usage"]["prompt_tokens"] > 5


def test_the_shell_explains_a_place(service, tmp_path):
    path = tmp_path / "a.py"
    path.write_text("import os\n\nfor name in os.listdir(")
    result = caret("explain", "--server", str(service.address), f"{path}:3:24")
    assert "<|fim_middle|>" in result.stdout
    assert "import os" in result.stdout
    assert "milliseconds" in result.stdout


def test_a_server_that_is_not_there_is_one_line(tmp_path):
    path = tmp_path / "a.py"
    path.touch()
    result = caret("complete", "--server", f"unix:{tmp_path}/none", f"{path}:1:1")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "is `caret serve` running there?" in result.stderr
