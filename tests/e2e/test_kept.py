"""The search that every test of an editor ends with."""

import pytest

from tests.e2e.kept import Kept

TEXT = "import os\n\n\ndef total(values, start=0):\n    return sum(values, start)\n"


def test_a_line_of_a_text_is_found_in_a_log_even_where_it_was_cut(tmp_path):
    kept = Kept(tmp_path / "state", tmp_path / "code.log", tmp_path / "never")
    kept.opened(TEXT)
    (tmp_path / "state" / "deep").mkdir(parents=True)
    (tmp_path / "code.log").write_text("import os\nready\n")
    kept.assert_nothing()
    (tmp_path / "state" / "deep" / "lsp.log").write_bytes(b"\0error in 'def total(values, st\0")
    with pytest.raises(AssertionError, match=r"lsp\.log has text"):
        kept.assert_nothing()
