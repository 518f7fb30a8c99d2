"""The VS Code extension's settings are those of the configuration classes."""

import json
import re
from dataclasses import fields

from completion.config import Config
from completion.config_sources import merge
from lsp import settings as editor_settings
from lsp.editors.vscode import settings


def properties() -> dict[str, dict]:
    package = json.loads(settings.PACKAGE.read_text(encoding="utf-8"))
    headings = package["contributes"]["configuration"]
    return {name: spec for one in headings for name, spec in one["properties"].items()}


def options():
    """Each option that an editor may have a say in: its section, its field, its setting."""
    for section in fields(Config):
        if section.name == "client" or section.name in editor_settings.SECTIONS:
            for key in fields(section.default_factory):
                yield section.name, key, settings.setting_name(section.name, key.name)


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def test_package_json_is_as_generated():
    text = settings.PACKAGE.read_text(encoding="utf-8")
    assert settings.generated(text) == text


def test_every_option_has_a_setting_that_leads_back_to_it():
    found = properties()
    for section, key, name in options():
        assert name in found
        inner = snake(name.removeprefix("caret."))
        assert inner == (key.name if section == "client" else f"{section}.{key.name}")
        default = list(key.default) if isinstance(key.default, tuple) else key.default
        assert found[name]["default"] == default
    assert set(found) == {name for _, _, name in options()} | set(settings.OWN["properties"])


def test_a_workspace_can_set_what_the_language_server_takes_from_it_and_no_more():
    found = properties()
    for section, key, name in options():
        tree = {section: {key.name: found[name]["default"]}}
        taken = merge(Config(), tree, source="a workspace", trusted=False)
        assert (found[name]["scope"] == "window") == (taken.messages == ())
    for name in settings.OWN["properties"]:
        assert found[name]["scope"] == "machine"


def test_limits_are_said_to_the_editor():
    found = properties()
    assert found["caret.candidates"]["maximum"] == 8
    assert found["caret.lines"]["enum"] == ["auto", "single", "multi"]
    assert found["caret.disabledLanguages"]["items"] == {"type": "string"}
