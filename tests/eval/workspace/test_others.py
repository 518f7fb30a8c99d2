"""What of other files comes with a run's items: arms, places, slices; and a real server that holds it."""

from dataclasses import replace

import pytest

from completion.config import Config
from completion.errors import CaretError, UsageError
from completion.wire import completion_pb2 as pb
from eval import held_out
from eval.engines.dummies import Silent
from eval.engines.requests import request_for
from eval.engines.server import Server
from eval.item import Ask, Item, Related
from eval.running.progress import RunProgress
from eval.running.runner import Options, Run
from eval.workspace.arms import Arm
from eval.workspace.keeper import Keeper
from eval.workspace.others import ELSEWHERE, TELLING, OtherFiles, passage_of
from tests.eval.tiny import Tiny

RELATED = (Related(path="lib.py", text=b"def g(): ...\n", kind="definition"),)
LONG = (
    b"    total = first_amount_of_all(second, third) + fourth_amount_of_all(fifth, sixth, seven)\n"
)


def item(number, path, prefix=b"import os\n", reference=b"x = 1", suffix=b"\nprint(1)\n", **more):
    return Item(
        id=f"{path}:{number}", prefix=prefix, reference=reference, suffix=suffix, path=path,
        related=RELATED, **more,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    for path, text in {
        "app/main.py": b"import os\nx = 1\nprint(1)\n",
        "app/copy.py": b"import os\n" + LONG + b"print(2)\n",
        "app/deep/er.py": b"import os\n" + LONG + b"print(2)\n",
        "lib.py": b"def g(): ...\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text)
    return root


def engine():
    return Server(Config(), ("--engine", "fake"))


@pytest.mark.parametrize(
    ("arm", "snippets", "workspace"),
    [("none", 0, 0), ("snippets", 1, 0), ("workspace", 0, 1), ("both", 1, 1)],
)
def test_an_arm_decides_what_comes_along(project, arm, snippets, workspace):
    others = OtherFiles(Arm(arm), workspace=project)
    (taken,) = others.taken([item(0, "app/main.py")], None)
    assert len(taken.related) == snippets
    assert ("sha256" in others.settings()) == bool(workspace)
    assert others.settings()["arm"] == arm


async def test_items_are_asked_in_their_workspace_once_it_is_fitted(project):
    others = OtherFiles(Arm.BOTH, workspace=project)
    items = others.taken([item(0, "app/main.py"), item(1, "lib.py")], None)
    ids = set()
    async with engine() as server:
        await server.start()
        for one in items:
            async with others.asked(one, server) as asked:
                (answer,) = asked.said([await server.answer(asked.item, Ask(max_tokens=4))])
                ids.add(asked.item.workspace)
                request = request_for(asked.item, Ask(), include_raw=False)
                assert request.workspace_id == asked.item.workspace
            assert answer.data["workspace"]["files"] == 4
            assert answer.data["workspace"]["tokens"] > 0
        assert len(ids) == 1, "one workspace, sent once"
        await others.close()
        assert await _state(server, ids.pop()) == 0, "and forgotten at the end"


async def _state(server, identity):
    async def look():
        yield pb.WorkspaceChange(workspace_id=identity)

    return [state async for state in server.sync(look())][-1].files


async def test_workspaces_that_are_not_asked_in_make_room(project):
    texts = {"a.py": b"alpha beta gamma\n"}
    async with engine() as server:
        await server.start()
        keeper = Keeper(server.sync, most=2)
        ids = []
        for number in range(3):
            async with keeper.holding(number, texts) as held:
                ids.append(held.id)
        assert [await _state(server, one) for one in ids] == [0, 1, 1]
        async with keeper.holding(0, texts) as held:
            assert held.id not in ids, "sent anew"
        await keeper.close()


async def test_a_refused_workspace_says_why():
    async with engine() as server:
        await server.start()
        keeper = Keeper(server.sync)
        with pytest.raises(CaretError, match="refused the workspace: path must be at most"):
            async with keeper.holding(0, {"p" * 5000: b"x"}):
                pass
        await keeper.close()


def test_an_engine_without_a_workspace_says_which_have_one():
    async def nothing():
        yield pb.WorkspaceChange()

    with pytest.raises(UsageError, match="take server or in-process"):
        Silent().sync(nothing())


def test_the_nearest_files_are_a_workspace_for_each_folder(project):
    others = OtherFiles(Arm.WORKSPACE, workspace=project, files=2)
    paths = ["app/main.py", "app/copy.py", "app/deep/er.py"]
    taken = others.taken([item(n, path) for n, path in enumerate(paths)], None)
    assert [others.turn(one) for one in taken] == [0, 0, 1]
    assert others.settings()["workspaces"] == 2
    assert others.settings()["files"] == 2


def test_a_file_that_is_not_there_is_named_before_anything_is_asked(project):
    with pytest.raises(UsageError, match=r"app/none.py is not in the workspace project"):
        OtherFiles(Arm.WORKSPACE, workspace=project).taken([item(0, "app/none.py")], None)
    with pytest.raises(UsageError, match=r"--workspace DIR names the folder"):
        OtherFiles(Arm.WORKSPACE).taken([item(0, "app/main.py")], None)


def test_items_without_a_known_place_can_still_do_without_a_workspace():
    (taken,) = OtherFiles(Arm.NONE).taken([item(0, "app/main.py")], None)
    assert taken == replace(item(0, "app/main.py"), related=())


def test_a_held_out_package_is_found_by_its_folder_or_its_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("CARET_DATA", str(tmp_path))
    package = held_out.packages()[0].folder
    place = tmp_path / "held-out" / package / "pack" / "mod.py"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"x = 1\n")
    others = OtherFiles(Arm.WORKSPACE)
    asked = [
        item(0, f"{package}/pack/mod.py"),
        item(1, f"{package}/pack/mod.ipynb"),  # a notebook made of that file has its lines
        item(2, "pack/mod.py", data={"repository": package}),
    ]
    paths = [one.path for one in others.taken(asked, None)]
    assert paths == [f"{package}/pack/mod.py", f"{package}/pack/mod.py", "pack/mod.py"]
    assert [others.turn(one) for one in asked] == [0, 0, 1], "names as the items have them"


def test_passages_that_another_file_has_too_are_a_slice_of_their_own(project):
    copied = item(
        0, "app/copy.py", prefix=b"import os\n", reference=LONG[:-1], suffix=b"\nprint(2)\n"
    )
    own = item(1, "app/main.py")
    others = OtherFiles(Arm.NONE, workspace=project)
    others.taken([copied, own], None)
    assert others.facets(copied) == {ELSEWHERE: "yes"}
    assert others.facets(own) == {ELSEWHERE: "no"}
    assert "of 1 of 2 items" in others.warnings[0]


def test_a_passage_is_the_reference_and_enough_around_it():
    before, after = b"b" * 500, b"a" * 500
    short = item(0, "a.py", prefix=before, reference=b"xx", suffix=after)
    assert passage_of(short) == b"b" * 49 + b"xx" + b"a" * 49
    assert len(passage_of(replace(short, suffix=b"aaa"))) == TELLING
    assert len(passage_of(replace(short, prefix=b"b"))) == TELLING
    whole = replace(short, reference=b"r" * 300)
    assert passage_of(whole) == b"r" * 300
    crlf = replace(short, prefix=b"b\r\n" * 200)
    assert b"\r" not in passage_of(crlf)


class Placed(Tiny):
    """The hand-made lines, in a file of the project."""

    items = tuple(replace(one, path="app/main.py", related=RELATED) for one in Tiny.items)


async def run(project, tmp_path, arm, name):
    options = Options(
        baselines=False, output=tmp_path / name, others=OtherFiles(Arm(arm), workspace=project)
    )
    work = Run(Placed(), engine(), options, RunProgress(quiet=True))
    try:
        return await work.result(), work.was_there
    finally:
        work.close()


async def test_a_run_keeps_its_arm_apart_and_its_slices(project, tmp_path):
    result, _ = await run(project, tmp_path, "workspace", "r.json")
    assert result.options["other_files"]["arm"] == "workspace"
    assert result.items[0].data["workspace"]["files"] == 4
    assert result.items[0].facets["file already there"] == "75–100 %"
    _, was_there = await run(project, tmp_path, "workspace", "r.json")
    assert was_there
    (project / "lib.py").write_bytes(b"def h(): ...\n")
    with pytest.raises(UsageError, match="option other_files sha256"):
        await run(project, tmp_path, "workspace", "r.json")
    with pytest.raises(UsageError, match="option other_files arm workspace there and none here"):
        await run(project, tmp_path, "none", "r.json")
