"""What a result says of the machine, and what it must not."""

import getpass
import platform
import subprocess
from pathlib import Path

from eval.running import identity


def test_the_commit_is_the_checkouts_where_there_is_one():
    found = identity.caret()
    assert found["version"]
    root = Path(__file__).parents[3]
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "rev-parse", "HEAD"]
        head = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert found["commit"] == head
        assert isinstance(found["dirty"], bool)
    else:
        assert "commit" not in found


def test_the_machine_has_no_name_and_no_user():
    found = identity.machine()
    assert found["cores"] >= 1
    assert found["memory_gib"] > 0
    text = str(found)
    assert platform.node() not in text or not platform.node()
    assert str(Path.home()) not in text
    assert f"'{getpass.getuser()}'" not in text
