from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from completion.errors import CaretError
from training.corpus.sources import Source, canonical, open_package


def test_standard_library_comes_without_other_packages_and_test_suites(tmp_path: Path) -> None:
    package = open_package(Source(name="cpython", origin="stdlib"), tmp_path)
    paths = [file.path for file in package.files(str, 0)]
    assert "json/decoder.py" in paths
    assert not any(p.startswith(("site-packages/", "test/", "idlelib/")) for p in paths)
    assert package.licence.name == "PSF-2.0"


def test_installed_package_has_its_version_licence_and_python_files(tmp_path: Path) -> None:
    package = open_package(Source(name="pytest", origin="environment"), tmp_path)
    files = {file.path: file.data for file in package.files(str, 0)}
    assert package.version.split(".")[0].isdigit()
    assert package.licence.allowed
    assert b"def main(" in files["_pytest/config/__init__.py"]
    assert all(path.endswith(".py") for path in files)


def test_files_come_in_the_order_asked_for_and_from_where_it_is_asked(tmp_path: Path) -> None:
    package = open_package(Source(name="pytest", origin="environment"), tmp_path)

    def backwards(path: str) -> tuple[int, str]:
        return -len(path), path

    whole = [file.path for file in package.files(backwards, 0)]
    assert whole == sorted(whole, key=backwards)
    assert [file.path for file in package.files(backwards, 5)] == whole[5:]


def test_damaged_wheel_is_a_message_and_a_damaged_file_in_it_is_counted(tmp_path: Path) -> None:
    source = Source(name="pkg", version="1.0", origin="index")
    wheel = tmp_path / "pkg-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pkg/a.py", "value = 'spoilt'\n" * 40)
        archive.writestr("pkg/b.py", "x = 1\n")
        archive.writestr("pkg-1.0.dist-info/METADATA", "Name: pkg\nLicense-Expression: MIT\n")
    data = wheel.read_bytes()
    wheel.write_bytes(data.replace(b"spoilt", b"broken", 1))
    files = {f.path: f.reason for f in open_package(source, tmp_path).files(str, 0)}
    assert files == {"pkg/a.py": "unreadable", "pkg/b.py": ""}
    wheel.write_bytes(data[:100])
    with pytest.raises(CaretError, match="no whole wheel; delete it"):
        open_package(source, tmp_path)


def test_package_that_is_not_installed_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(CaretError, match="caret-no-such is not installed"):
        open_package(Source(name="caret-no-such", origin="environment"), tmp_path)


def test_licence_set_by_hand_replaces_the_metadata(tmp_path: Path) -> None:
    source = Source(name="pytest", origin="environment", licence="GPL-3.0-only")
    assert not open_package(source, tmp_path).licence.allowed


def test_names_compare_as_indexes_do() -> None:
    assert canonical("Ruamel.YAML_clib") == canonical("ruamel-yaml-clib")
