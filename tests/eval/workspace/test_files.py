"""Which files of a workspace are sent, which are near, and which have a passage twice."""

import pytest

from completion.errors import UsageError
from eval.workspace.files import Files, has_copy, read_files, steps

SECRET = "AKIA" + "Q3EGRZX7WJ2M5PTV"


def write(root, **texts):
    for name, text in texts.items():
        path = root / name.replace("__", "/")
        path = path.with_name(path.name + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def test_what_the_language_server_may_not_send_is_not_read(tmp_path):
    write(tmp_path, app=b"x = 1\r\ny = 2\r\n", hidden__old=b"z = 3\n", key=SECRET.encode())
    (tmp_path / "key.py").write_text(f'key = "{SECRET}"\n')
    (tmp_path / ".gitignore").write_text("hidden/\n")
    files = read_files(tmp_path)
    assert list(files.texts) == ["app.py", "key.py"]
    assert files.texts["app.py"] == b"x = 1\ny = 2\n"
    assert SECRET.encode() not in files.texts["key.py"]


def test_a_folder_without_source_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no source file"):
        read_files(tmp_path)


def test_the_nearest_are_of_the_same_folder_then_of_those_beside_it():
    paths = ["a/b/one.py", "a/b/two.py", "a/c/three.py", "a/four.py", "five.py", "z/y/x/six.py"]
    files = Files(dict.fromkeys(paths, b""))
    near = ["a/b/one.py", "a/b/two.py", "a/four.py", "a/c/three.py", "five.py", "z/y/x/six.py"]
    for count in range(1, 7):
        assert list(files.nearest("a/b", count).texts) == near[:count][::-1]
    assert list(files.nearest("a/b", 0).texts) == near[::-1]
    assert list(files.nearest("a/b", 99).texts) == near[::-1]


def test_steps_go_up_to_the_shared_folder_and_down_again():
    assert [steps(a, b) for a, b in (("", ""), ("a/b", "a/b"), ("a/b", "a"), ("a/b", "a/c/d"))] == [
        0, 0, 1, 3,
    ]  # fmt: skip


def test_a_passage_in_its_own_file_is_no_copy():
    files = {"a.py": b"one passage", "b.py": b"another one"}
    assert not has_copy(b"passage", files.items(), "a.py")
    assert has_copy(b"passage", files.items(), "b.py")
