from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from completion.errors import CaretError, UsageError
from eval import held_out
from eval.build.tree import checksum
from training.corpus.sources import read_sources

FILES = {"tiny/__init__.py": b"x = 1\n", "tiny/other.py": b"y = f(x)\n"}


def make_wheel(folder: Path, name: str = "caret_tiny", version: str = "1.0") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in FILES.items():
            archive.writestr(inside, text)
        archive.writestr("tiny/data.bin", b"\0")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its index, with a list of the one package in it."""
    folder = tmp_path / "index"
    make_wheel(folder)
    use_list(tmp_path, monkeypatch, checksum(FILES.items()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("CARET_DATA", str(tmp_path / "data"))
    return folder


def use_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sha256: str) -> None:
    path = tmp_path / "list.toml"
    path.write_text(
        f'[[package]]\nname = "caret-tiny"\nversion = "1.0"\nkind = "test"\nsha256 = "{sha256}"\n'
    )
    monkeypatch.setattr(held_out, "LIST", path)


def test_the_list_is_of_many_kinds_and_training_reads_it() -> None:
    found = held_out.packages()
    assert len(found) >= 8
    assert len({package.kind for package in found}) == len(found)
    assert all(len(package.sha256) == 64 for package in found)
    sources = read_sources(held_out.LIST)
    assert [(s.name, s.version) for s in sources] == [(p.name, p.version) for p in found]


@pytest.mark.usefixtures("index")
def test_fetched_packages_are_the_tree_that_suites_read(tmp_path: Path) -> None:
    folder = held_out.fetch()
    assert folder == tmp_path / "data" / "held-out"
    tree = held_out.tree(None)
    assert {file.path: file.text for file in tree.files} == {
        f"caret-tiny-1.0/{path}": text for path, text in FILES.items()
    }
    assert [path.name for path in folder.iterdir()] == ["caret-tiny-1.0"]


def test_what_is_there_is_not_fetched_again_and_what_is_changed_is(index: Path) -> None:
    folder = held_out.fetch()
    for wheel in index.glob("*.whl"):
        wheel.unlink()
    held_out.fetch()
    make_wheel(index)
    changed = folder / "caret-tiny-1.0" / "tiny" / "other.py"
    changed.write_bytes(b"z\n")
    with pytest.raises(UsageError, match="changed since it was fetched"):
        held_out.tree(None)
    held_out.fetch()
    assert changed.read_bytes() == FILES["tiny/other.py"]


@pytest.mark.usefixtures("index")
def test_missing_packages_say_how_to_get_them() -> None:
    with pytest.raises(UsageError, match=r"caret eval fetch.*--data DIR"):
        held_out.tree(None)


def test_an_index_that_cannot_be_reached_is_one_line(index: Path) -> None:
    for wheel in index.glob("*.whl"):
        wheel.unlink()
    with pytest.raises(CaretError, match=r"caret-tiny==1\.0 could not be fetched") as caught:
        held_out.fetch()
    assert "\n" not in caught.value.message
    assert not list(held_out.default_folder().iterdir())


@pytest.mark.usefixtures("index")
def test_a_package_of_other_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_list(tmp_path, monkeypatch, "0" * 64)
    with pytest.raises(CaretError, match="another package of this name"):
        held_out.fetch()
    assert not (held_out.default_folder() / "caret-tiny-1.0").exists()


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "a/../../evil.py", "..\\evil.py"])
def test_a_wheel_never_writes_outside_its_folder(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(CaretError, match="outside of itself"):
        held_out.unpack(tmp_path / "a.whl", tmp_path / "inside" / "deep")
    assert not list(tmp_path.rglob("*.py"))


def test_what_is_no_wheel_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(CaretError, match=r"a\.whl: not a wheel"):
        held_out.unpack(tmp_path / "a.whl", tmp_path / "out")
