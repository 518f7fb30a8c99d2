"""The file of tokens: who is in it, and when it is read again."""

import os

import pytest

from completion.errors import UsageError
from completion.server.tokens import TokenFile

ALICE, BOB, NEW = "a" * 32, "b" * 32, "n" * 32


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"# who may ask\n\nalice {ALICE}\nbob\t{BOB}\nalice {NEW}\n")
    path.chmod(0o600)
    return path


def test_each_token_has_its_name_and_one_name_may_have_several(file):
    tokens = TokenFile(file)
    assert [tokens.name_of(t) for t in (ALICE, BOB, NEW)] == ["alice", "bob", "alice"]


@pytest.mark.parametrize("token", ["", "a", "a" * 31, "a" * 33, "alice", "\udcff", "é" * 32])
def test_no_other_token_has_one(file, token):
    assert TokenFile(file).name_of(token) == ""


def test_a_token_without_a_name_has_one_that_does_not_tell_the_token(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"{ALICE}\n{BOB}\n")
    path.chmod(0o600)
    tokens = TokenFile(path)
    names = {tokens.name_of(ALICE), tokens.name_of(BOB)}
    assert len(names) == 2
    assert not any(ALICE[:4] in name or BOB[:4] in name for name in names)


def test_a_changed_file_is_taken_in_with_the_next_call(file):
    tokens = TokenFile(file)
    file.write_text(f"carol {NEW}{NEW}\n")
    assert tokens.name_of(ALICE) == ""
    assert tokens.name_of(NEW * 2) == "carol"


def test_a_file_that_was_put_in_its_place_is_taken_in_though_it_is_as_old_and_as_long(file):
    tokens = TokenFile(file)
    before = file.stat()
    other = file.with_name("other")
    other.write_text(file.read_text().replace(ALICE, "c" * 32))
    other.chmod(0o600)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert (tokens.name_of(ALICE), tokens.name_of("c" * 32)) == ("", "alice")


def test_nobody_is_let_in_while_the_file_cannot_be_read(file):
    tokens = TokenFile(file)
    text = file.read_text()
    file.unlink()
    assert tokens.name_of(ALICE) == ""
    file.write_text(text)
    file.chmod(0o644)
    assert tokens.name_of(ALICE) == "", "open to others: whoever read it could come in with it"
    file.chmod(0o600)
    assert tokens.name_of(ALICE) == "alice"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no token"),
        ("# nobody\n", "holds no token"),
        ("alice short\n", "line 1: a token has 16 to 512"),
        (f"alice {ALICE} more\n", "line 1: write `name token`"),
        (f"\nal\x1bice {ALICE}\n", "line 2: write `name token`"),
        (f"alice {ALICE}\nbob {ALICE}\n", "one token twice"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line_without_a_token(tmp_path, text, said):
    path = tmp_path / "tokens"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UsageError, match=said) as caught:
        TokenFile(path)
    assert ALICE not in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622])
def test_a_file_that_others_can_open_is_refused(file, mode):
    file.chmod(mode)
    with pytest.raises(UsageError, match="run: chmod 600"):
        TokenFile(file)


def test_every_token_is_compared_whichever_is_right(file, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "completion.server.tokens.hmac.compare_digest", lambda a, b: seen.append(a) or a == b
    )
    tokens = TokenFile(file)
    for token in (ALICE, BOB, NEW, "x" * 32):
        seen.clear()
        tokens.name_of(token)
        assert len(seen) == 3
