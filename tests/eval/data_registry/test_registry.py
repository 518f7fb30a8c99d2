from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from completion.errors import UsageError
from eval.data import published, registry
from eval.data.published import data_set_of
from eval.data.registry import find, find_all, status
from eval.suites import SUITES

LIGHT = "humaneval-infilling:random-span-light"
LIGHT_NAME = "HumanEval-RandomSpanInfillingLight.jsonl.gz"
PUBLIC = sorted(
    name
    for name in SUITES
    if name.split(":")[0]
    in (
        "humaneval-infilling",
        "santacoder-fim",
        "safim",
        "crosscodeeval",
        "repobench",
        "codexglue-line",
        "codexglue-token",
    )
)


@pytest.fixture(autouse=True)
def nowhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder and a home without any data."""
    folder = tmp_path_factory.mktemp("work") / "tree"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CARET_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "home"))
    return folder


def write(path: Path, count: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps({"id": number}) + "\n" for number in range(count)).encode()
    path.write_bytes(gzip.compress(text) if path.name.endswith(".gz") else text)
    return path


def known_as(monkeypatch: pytest.MonkeyPatch, suite: str, content: bytes, rows: int) -> None:
    """Register ``content`` as the published file of ``suite``."""
    changed = []
    for known in published.data_sets():
        files = tuple(
            published.PublishedFile(
                name=file.name,
                suites=file.suites,
                rows=rows,
                sha256=hashlib.sha256(content).hexdigest(),
                had=True,
            )
            if suite in file.suites
            else file
            for file in known.files
        )
        changed.append(
            published.DataSet(
                name=known.name,
                licence=known.licence,
                source=known.source,
                get=known.get,
                folders=known.folders,
                files=files,
            )
        )
    monkeypatch.setattr(published, "data_sets", lambda: tuple(changed))


def test_every_suite_of_a_public_data_set_is_registered() -> None:
    assert len(PUBLIC) == 17
    for name in SUITES:
        known = data_set_of(name)
        assert (known is not None) == (name in PUBLIC), name
        if known:
            assert known.licence and known.source and known.get and known.folders


def test_each_registered_suite_exists() -> None:
    named = {
        suite for known in published.data_sets() for file in known.files for suite in file.suites
    }
    assert named <= set(SUITES)


def test_a_file_that_was_had_has_checksum_and_rows() -> None:
    for known in published.data_sets():
        for file in known.files:
            assert file.had == bool(file.sha256), file.name
            if file.had:
                assert file.rows and len(file.sha256) == 64


@pytest.mark.parametrize("name", PUBLIC)
def test_missing_data_says_what_it_is_and_how_to_get_it(name: str) -> None:
    known = data_set_of(name)
    assert known
    with pytest.raises(UsageError) as caught:
        find(name, None)
    assert caught.value.exit_code == 2
    for part in (known.name, known.licence, known.get, known.of(name)[0].name, "--data PATH"):
        assert part in caught.value.message
    assert "\n" not in caught.value.message
    here, text = status(name)
    assert not here
    assert known.get in text


def test_a_suite_never_run_on_its_data_is_marked_so() -> None:
    assert "hand-made items in the published format only" in status("santacoder-fim:py")[1]
    assert "hand-made" not in status(LIGHT)[1]


def test_a_suite_made_from_a_tree_needs_no_data() -> None:
    assert status("cardinal")[0]
    with pytest.raises(UsageError, match="no data set is registered"):
        find("cardinal", None)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        find(LIGHT, tmp_path / "gone.jsonl")


def test_a_name_that_no_file_system_takes_is_an_error_of_the_call() -> None:
    with pytest.raises(UsageError):
        find(LIGHT, "x" * 5000)


def test_a_folder_without_the_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no HumanEval-RandomSpanInfillingLight"):
        find(LIGHT, tmp_path)


def test_another_name_is_accepted_and_not_the_published_set(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.jsonl")
    found = find(LIGHT, path)
    assert found.path == path
    assert not found.published
    assert found.source == "mine.jsonl"
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert any("cannot stand beside published" in warning for warning in found.warnings)


def test_the_published_name_with_another_content_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / LIGHT_NAME)
    with pytest.raises(UsageError, match=r"checksum differs.*cut off or changed.*rename it"):
        find(LIGHT, path)
    with pytest.raises(UsageError, match="checksum differs"):
        find(LIGHT, tmp_path)


def test_the_checksum_is_of_what_is_compressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = write(tmp_path / "plain" / LIGHT_NAME.removesuffix(".gz"))
    content = plain.read_bytes()
    known_as(monkeypatch, LIGHT, content, 3)
    fast = tmp_path / "fast" / LIGHT_NAME
    fast.parent.mkdir()
    fast.write_bytes(gzip.compress(content, compresslevel=1, mtime=7))
    for path in (plain, fast):
        found = find(LIGHT, path)
        assert found.published
        assert found.warnings == []
        assert found.licence == "MIT"
        assert found.data == {
            "source": f"HumanEval-Infilling, {path.name}",
            "sha256": hashlib.sha256(content).hexdigest(),
            "licence": "MIT",
            "published": True,
        }


def test_too_few_items_are_refused_where_no_checksum_is_known(tmp_path: Path) -> None:
    path = write(tmp_path / "block_completion.jsonl.gz", 8780)
    with pytest.raises(UsageError, match="holds 8780 items and the published file 8781"):
        find("safim:block", path)


def test_what_could_not_be_checked_is_said(tmp_path: Path) -> None:
    found = find("safim:block", write(tmp_path / "block_completion.jsonl.gz", 8781))
    assert found.published
    assert any("no checksum is registered" in warning for warning in found.warnings)
    assert any("hand-made items in the published format only" in w for w in found.warnings)


def test_a_file_cut_off_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.jsonl.gz", 500)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UsageError, match="cut off or damaged"):
        find(LIGHT, path)


def test_no_path_of_this_machine_gets_into_a_result(tmp_path: Path) -> None:
    found = find("safim:block", write(tmp_path / "safim" / "block_completion.jsonl.gz", 8781))
    assert str(tmp_path) not in json.dumps(found.data) + json.dumps(found.warnings)


@pytest.mark.parametrize("folder", [".", "safim", "safim/data"])
def test_the_file_is_found_in_folders_of_its_usual_names(tmp_path: Path, folder: str) -> None:
    path = write(tmp_path / folder / "block_completion.jsonl", 8781)
    assert find("safim:block", tmp_path).path.samefile(path)


def test_the_usual_places_are_tried_in_order(
    nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here() -> Path:
        return find("safim:block", None).path

    in_home = write(nowhere / "home" / "caret" / "data" / "block_completion.jsonl", 8781)
    assert here().samefile(in_home)
    beside = write(nowhere.parent / "shared" / "data" / "safim" / "block_completion.jsonl", 8781)
    assert here().samefile(beside)
    inside = write(nowhere / "shared" / "data" / "safim" / "block_completion.jsonl.gz", 8781)
    assert here().samefile(inside)
    named = write(tmp_path / "block_completion.jsonl.gz", 8781)
    monkeypatch.setenv("CARET_DATA", str(tmp_path))
    assert here().samefile(named)
    assert status("safim:block")[0]


def test_what_is_given_is_the_only_place_looked_at(nowhere: Path, tmp_path: Path) -> None:
    write(nowhere / "shared" / "data" / "block_completion.jsonl", 8781)
    with pytest.raises(UsageError, match="holds no"):
        find("safim:block", tmp_path)


def test_languages_whose_files_share_a_name_are_told_apart_by_folder(tmp_path: Path) -> None:
    root = tmp_path / "crosscodeeval_data"
    java = write(root / "java" / "line_completion_rg1_bm25.jsonl", 2139)
    python = write(root / "python" / "line_completion_rg1_bm25.jsonl", 2665)
    assert find("crosscodeeval:java", tmp_path).path.samefile(java)
    assert find("crosscodeeval:python", root).path.samefile(python)
    assert find("crosscodeeval:python", root / "python").path.samefile(python)
    with pytest.raises(UsageError, match="published file 2665"):
        find("crosscodeeval:python", root / "java")


def test_the_context_is_chosen_by_naming_the_file(tmp_path: Path) -> None:
    root = tmp_path / "crosscodeeval" / "python"
    usual = write(root / "line_completion_rg1_bm25.jsonl", 2665)
    without = write(root / "line_completion.jsonl", 2665)
    assert find("crosscodeeval:python", tmp_path).path.samefile(usual)
    found = find("crosscodeeval:python", without)
    assert found.path == without
    assert found.published


def test_a_sample_is_taken_where_the_set_is_not_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "crosscodeeval_sample" / "java.jsonl.gz", 25)
    with pytest.raises(UsageError, match="checksum differs"):
        find("crosscodeeval:java", tmp_path)
    registered = data_set_of("crosscodeeval:java")
    assert registered
    (sample,) = (file for file in registered.files if file.sample)
    monkeypatch.setattr(registry, "digest", lambda path: (sample.sha256, 25))
    found = find("crosscodeeval:java", tmp_path)
    assert found.path.samefile(path)
    assert not found.published
    assert any("a sample of CrossCodeEval" in warning for warning in found.warnings)


def test_all_parts_of_a_set_are_found_together(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow
    from pyarrow import parquet

    names = [
        "cross_file_first-00000-of-00002-a.parquet",
        "cross_file_first-00001-of-00002-b.parquet",
        "in_file-00000-of-00001-c.parquet",
    ]
    for name in names:
        parquet.write_table(pyarrow.table({"next_line": ["x", name]}), tmp_path / name)
    found = find_all("repobench", tmp_path)
    assert [one.path.name for one in found] == names
    assert all(one.published for one in found)
