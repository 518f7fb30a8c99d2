"""Where a document lies, whatever an editor calls it."""

from __future__ import annotations

import pytest

from lsp.paths import file_path, locate


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///w/a%20b.py", "/w/a b.py"),
        ("file:///w/n.ipynb#W0sZmlsZQ%3D%3D", "/w/n.ipynb"),
        ("vscode-notebook-cell:/w/n.ipynb#W0sZmlsZQ%3D%3D", "/w/n.ipynb"),
        ("vscode-notebook-cell:/w/gr%C3%B6%C3%9Fe/n.ipynb#X", "/w/größe/n.ipynb"),
        ("vscode-notebook-cell://ssh-remote%2Bhost/w/n.ipynb#X", "/w/n.ipynb"),
        ("vscode-notebook-cell:///w/n.ipynb#X", "/w/n.ipynb"),
        ("untitled:Untitled-1", None),
        ("git:/w/a.py?ref", None),
        ("vscode-notebook-cell:Untitled-1.ipynb?jupyter-notebook#W0", None),
    ],
)
def test_a_uri_is_a_path_or_no_file(uri, path):
    assert file_path(uri) == path


@pytest.mark.parametrize(
    ("uri", "roots", "found"),
    [
        ("file:///w/src/a.py", ["/w"], ("src/a.py", "w")),
        ("vscode-notebook-cell:/w/src/n.ipynb#X", ["/w"], ("src/n.ipynb", "w")),
        ("vscode-notebook-cell:/w/src/n.ipynb#X", ["/w", "/w/src"], ("n.ipynb", "src")),
        ("file:///w/src/a.py", [], ("a.py", "")),
        ("file:///wide/a.py", ["/w"], ("a.py", "")),
        ("untitled:Untitled-1", ["/w"], ("Untitled-1", "")),
        ("untitled:Ohne%20Titel-1", ["/w"], ("Ohne Titel-1", "")),
    ],
)
def test_a_path_is_relative_to_its_folder_and_never_absolute(uri, roots, found):
    assert locate(uri, roots) == found
