"""What a card says of the base's licence comes from the base's own folder."""

from __future__ import annotations

from pathlib import Path

from completion.engine.locate import locate
from training.adapters.card import UNKNOWN, licence_of


def test_licence_is_the_cards_line_else_the_licences_title_else_unknown(tmp_path: Path) -> None:
    assert licence_of(tmp_path) == UNKNOWN
    (tmp_path / "LICENSE").write_text("\n\n  BigCode Open RAIL-M  \nmore\n")
    assert licence_of(tmp_path) == "BigCode Open RAIL-M (LICENSE)"
    (tmp_path / "README.md").write_text("---\ntags: [a]\nlicense: mit\n---\nlicense: other\n")
    assert licence_of(tmp_path) == "mit"
    assert licence_of(locate("bundled")) == "apache-2.0"
