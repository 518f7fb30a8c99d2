from __future__ import annotations

from pathlib import Path

import pytest

from completion.errors import UsageError
from eval.data import hub
from eval.data.registry import find

PATTERNS = ("python/line_completion_rg1_bm25.jsonl", "python/line_completion.jsonl")


class Hub:
    """What the hub's library would say, without a network."""

    def __init__(self, names: list[str], folder: Path) -> None:
        self.names = names
        self.folder = folder

    def list_repo_files(self, repository: str, *, repo_type: str) -> list[str]:
        assert (repository, repo_type) == ("me/mine", "dataset")
        return self.names

    def download(
        self, repository: str, name: str, *, repo_type: str, local_files_only: bool
    ) -> str:
        assert (repository, repo_type) == ("me/mine", "dataset")
        return str(self.folder / name)


@pytest.fixture
def online(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    library = pytest.importorskip("huggingface_hub")
    there = Hub([], tmp_path)
    monkeypatch.setattr(hub, "_resolves", lambda endpoint: True)
    monkeypatch.setattr(library, "HfApi", lambda: there)
    monkeypatch.setattr(library, "hf_hub_download", there.download)
    return there


def names_of(given: str = "hf:me/mine") -> list[str]:
    return [name for name, _ in hub.fetch(given, PATTERNS)]


def test_the_published_name_is_taken_with_its_folder_first(online: Hub) -> None:
    online.names = ["java/line_completion.jsonl", "python/line_completion.jsonl", "README.md"]
    assert names_of() == ["hf:me/mine/python/line_completion.jsonl"]


def test_the_published_name_is_taken_from_another_folder(online: Hub) -> None:
    online.names = ["x/y/line_completion.jsonl.gz", "x/other.jsonl"]
    assert names_of() == ["hf:me/mine/x/y/line_completion.jsonl.gz"]


def test_the_only_file_that_can_be_read_is_taken(online: Hub) -> None:
    online.names = ["README.md", "data/all.parquet", ".gitattributes"]
    assert names_of() == ["hf:me/mine/data/all.parquet"]


def test_of_several_files_one_has_to_be_named(online: Hub) -> None:
    online.names = ["a.jsonl", "b.jsonl"]
    with pytest.raises(UsageError, match=r"Name one.*a\.jsonl, b\.jsonl"):
        names_of()
    assert names_of("hf:me/mine/b.jsonl") == ["hf:me/mine/b.jsonl"]


def test_a_file_from_the_hub_goes_by_its_id_in_a_result(online: Hub) -> None:
    online.names = ["data/all.jsonl"]
    (online.folder / "data").mkdir()
    (online.folder / "data" / "all.jsonl").write_text('{"a": 1}\n')
    found = find("safim:block", "hf:me/mine")
    assert found.source == "hf:me/mine/data/all.jsonl"
    assert not found.published
    # As a command line hands it over.
    assert find("safim:block", Path("hf:me/mine")).source == found.source


def test_without_a_network_it_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub, "_resolves", lambda endpoint: False)
    for given in ("hf:me/mine", "hf:me/mine/a.jsonl"):
        with pytest.raises(UsageError, match="not to be had from the hub") as caught:
            names_of(given)
        assert "\n" not in caught.value.message


@pytest.mark.parametrize("given", ["hf:", "hf:mine", "hf:/mine", "hf:me//x"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="hf:OWNER/NAME"):
        names_of(given)
