"""The program: exit statuses, one-line errors, and what is not imported."""

import re
import subprocess
import sys
from dataclasses import fields

import pytest

from completion.cli import COMMANDS, main
from completion.config import ModelConfig


def caret(*words, **kwargs):
    command = [sys.executable, "-m", "completion.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert "usage: caret" in capsys.readouterr().out


def test_no_command_is_a_wrong_call(capsys):
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().out


def test_an_unknown_command_is_a_wrong_call():
    assert caret("complte").returncode == 2


def test_a_wrong_flag_value_is_one_line_and_status_2():
    result = caret("serve", "--max-running", "many")
    assert result.returncode == 2
    assert result.stderr.splitlines() == ["caret serve: --max-running: wants a number, not 'many'"]


def test_help_names_every_way_in_which_a_model_can_be_asked(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    shown = capsys.readouterr().out.split("  --arm ARM")[1].split("  --engine-arg")[0]
    arm = next(option for option in fields(ModelConfig) if option.name == "arm")
    assert set(arm.metadata["choices"]) <= set(re.findall(r"\w+", shown))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--listen", "0.0.0.0:9"], "can be reached from other machines and has no TLS"),
        (["--listen", "nowhere"], "neither HOST:PORT nor unix:PATH"),
        (["--listen", "unix:/no/such/folder/s"], "folder of the socket does not exist"),
        (["--listen", "unix:/dev/null"], "exists and is no socket"),
        (["--metrics", "192.0.2.1:9"], "metrics are served on loopback only"),
    ],
)
def test_serve_refuses_addresses_it_cannot_keep_private(words, said):
    listen = [] if "--listen" in words else ["--listen", "127.0.0.1:0"]
    result = caret("serve", "--engine", "fake", *listen, *words)
    assert result.returncode == 2
    errors = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert len(errors) == 1
    assert said in errors[0]


@pytest.mark.parametrize(
    ("flag", "value"), [("candidates", "-1"), ("max-tokens", "-3"), ("seed", str(1 << 64))]
)
def test_a_number_that_the_contract_cannot_hold_is_a_wrong_call(tmp_path, capsys, flag, value):
    file = tmp_path / "a.py"
    file.touch()
    assert main(["complete", f"{file}:1:1", f"--{flag}", value]) == 2
    assert f"--{flag} must be at least 0" in capsys.readouterr().err


def test_the_doctor_reports_what_is_not_installed_and_does_not_fail_of_it():
    script = (
        "import sys; sys.modules['tokenizers'] = None;"
        "from completion.commands.doctor import _guarded, _model;"
        "from completion.config import Config;"
        "check = _guarded(_model, Config()); print(check.status, check.found, check.mend)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.startswith("missing "), result.stderr
    assert "tokenizers" in result.stdout and "pip install" in result.stdout


def test_debug_shows_the_traceback():
    result = caret("complete", "--debug", "nowhere.py:1:1")
    assert "Traceback" in result.stderr
    assert "Traceback" not in caret("complete", "nowhere.py:1:1").stderr


@pytest.mark.parametrize("name", ["lsp", "complete", "serve", "doctor", "demo"])
def test_reading_the_flags_loads_no_heavy_library(name):
    probe = (
        "import sys; from completion.cli import _parser; _parser(sys.argv[1]);"
        "print([m for m in ('torch', 'transformers', 'vllm', 'numpy') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", probe, name], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_a_closed_pipe_is_no_traceback():
    command = f"{sys.executable} -m completion.cli doctor --json | true"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr
