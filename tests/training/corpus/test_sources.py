from __future__ import annotations

from pathlib import Path

import pytest

from completion.errors import CaretError
from training.corpus.sources import Source, canonical, open_package


def test_standard_library_comes_without_other_packages_and_test_suites(tmp_path: Path) -> None:
    package = open_package(Source(name="cpython", origin="stdlib"), tmp_path)
    paths = [path for path, _ in package.files]
    assert "json/decoder.py" in paths
    assert not any(p.startswith(("site-packages/", "test/", "idlelib/")) for p in paths)
    assert package.licence.name == "PSF-2.0"


def test_installed_package_has_its_version_licence_and_python_files(tmp_path: Path) -> None:
    package = open_package(Source(name="pytest", origin="environment"), tmp_path)
    files = dict(package.files)
    assert package.version.split(".")[0].isdigit()
    assert package.licence.allowed
    assert b"def main(" in files["_pytest/config/__init__.py"]
    assert all(path.endswith(".py") for path in files)


def test_package_that_is_not_installed_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(CaretError, match="caret-no-such is not installed"):
        open_package(Source(name="caret-no-such", origin="environment"), tmp_path)


def test_licence_set_by_hand_replaces_the_metadata(tmp_path: Path) -> None:
    source = Source(name="pytest", origin="environment", licence="GPL-3.0-only")
    assert not open_package(source, tmp_path).licence.allowed


def test_names_compare_as_indexes_do() -> None:
    assert canonical("Ruamel.YAML_clib") == canonical("ruamel-yaml-clib")
