"""Which editors share a server, and which do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp.server_identity import identity, with_absolute_model


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "caret").mkdir()
    return tmp_path / "caret" / "config.toml"


def test_the_same_settings_are_the_same_server_whatever_else_is_set():
    base = {"HOME": "/home/a", "CARET_MODEL_PATH": "bundled"}
    assert identity(base) == identity({"NVIM": "x", "CARET_CLIENT_TIMEOUT_MS": "50"})


@pytest.mark.parametrize(
    "changed",
    [
        {"CARET_MODEL_PATH": "other"},
        {"CARET_MODEL_DEVICE": "cuda"},
        {"CARET_GENERATION_MAX_TOKENS": "7"},
        {"CUDA_VISIBLE_DEVICES": "1"},
        {"HF_HOME": "/elsewhere"},
    ],
)
def test_what_a_server_would_do_otherwise_is_another_server(changed):
    assert identity(changed) != identity({})


def test_the_users_file_counts_as_it_is_now(home):
    before = identity({})
    home.write_text("[generation]\nmax_tokens = 9\n")
    assert identity({}) != before


def test_a_model_of_this_folder_is_named_from_the_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = str(Path.cwd() / "m")
    assert with_absolute_model(["--model", "./m", "--dtype", "x"], {}) == [
        "--model", here, "--dtype", "x",
    ]  # fmt: skip
    assert with_absolute_model(["--model=./m"], {}) == [f"--model={here}"]
    assert with_absolute_model([], {"CARET_MODEL_PATH": "./m"}) == ["--model", here]


def test_a_name_that_a_workspace_could_plant_stays_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Qwen" / "Qwen2.5-Coder").mkdir(parents=True)
    assert with_absolute_model(["--model", "Qwen/Qwen2.5-Coder"], {}) == [
        "--model", "Qwen/Qwen2.5-Coder",
    ]  # fmt: skip
