"""The server's copy is what is in the folder and in the open documents, whatever happens to either."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from completion.config import Config, WorkspaceModelConfig
from lsp.context import reading
from lsp.documents import Document
from lsp.workspace import ledger, sources, sync
from tests.lsp.context.workspace import write
from tests.lsp.workspace.keeper import Desk, replaced

KEY = "AK" + "IA" + "Q3EGZ5T7WXN2K4LB"


async def test_files_arrive_as_they_are_on_disk_and_follow_it(keeper, tmp_path):
    files = {"a.py": "x = 1\n", "pkg/b.py": "def b():\n    é = '𝛼'\n", "web/c.ts": "let c = 1;\n"}
    write(tmp_path, {**files, "notes.bin": b"\0\1", "binary.py": b"x = 1\0", "empty.py": ""})
    async with Desk(tmp_path, keeper) as desk:
        await keeper.has(files)
        desk.write("a.py", "x = 2\n")
        desk.write("new/d.py", "d = 4\n")
        (tmp_path / "web/c.ts").unlink()
        desk.tell("web/c.ts")
        files = {"a.py": "x = 2\n", "pkg/b.py": files["pkg/b.py"], "new/d.py": "d = 4\n"}
        await keeper.has(files)
        desk.write("a.py", "")
        del files["a.py"]
        await keeper.has(files)


async def test_a_document_counts_before_its_file_until_it_is_closed(keeper, tmp_path):
    write(tmp_path, {"a.py": "on disk\n"})
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("a.py", "in the editor\n")
        await keeper.has({"a.py": "in the editor\n"})
        desk.write("a.py", "written by another\n")
        desk.edit(document, replaced((0, 0), (0, 2), "IN"))
        await keeper.has({"a.py": "IN the editor\n"})
        assert keeper.edits == 1
        desk.close(document)
        await keeper.has({"a.py": "written by another\n"})
        never_saved = desk.open("n.py", "new\n")
        await keeper.has({"a.py": "written by another\n", "n.py": "new\n"})
        desk.close(never_saved)
        await keeper.has({"a.py": "written by another\n"})


@pytest.mark.parametrize("seed", range(4))
async def test_after_random_edits_the_copy_is_the_same(keeper, tmp_path, seed):
    """Edits, writes, removals, opening and closing in any order, with a server that forgets."""
    rng = random.Random(seed)
    names = [f"{folder}m{n}.py" for folder in ("", "p/", "p/q/") for n in range(3)]
    pieces = ["", "x", "é𝛼\n", "\r\n", "def f():\n\treturn 1\n", "\r", "ab\n" * 40]
    desk_opened: dict[str, Document] = {}
    async with Desk(tmp_path, keeper) as desk:
        for step in range(150):
            name = rng.choice(names)
            document = desk_opened.get(name)
            if document is None and rng.random() < 0.3:
                desk_opened[name] = desk.open(name, "".join(rng.choices(pieces, k=4)))
            elif document is not None and rng.random() < 0.8:
                lines = document.content.lines
                first, last = sorted(rng.choices(range(len(lines)), k=2))
                places = (first, rng.randint(0, 3)), (last, rng.randint(0, 3))
                desk.edit(document, replaced(*places, rng.choice(pieces)))
            elif document is not None:
                desk.close(desk_opened.pop(name))
            elif rng.random() < 0.7:
                desk.write(name, "".join(rng.choices(pieces, k=5)))
            elif (tmp_path / name).exists():
                (tmp_path / name).unlink()
                desk.tell(name)
            if rng.random() < 0.1:
                await asyncio.sleep(rng.random() * 0.05)
            if step == 75:
                keeper.asks_again = 3
            elif step == 120:
                await keeper.restart()
        await keeper.has(what_is_there(tmp_path, desk_opened))
        last = desk_opened["last.py"] = desk.open("last.py", "last = 1\n")
        await keeper.has(what_is_there(tmp_path, desk_opened))
        before = keeper.edits
        desk.edit(last, replaced((0, 0), (0, 0), "the_"))
        await keeper.has(what_is_there(tmp_path, desk_opened))
        assert keeper.edits == before + 1


def what_is_there(root: Path, opened: Mapping[str, Document]) -> dict[str, bytes]:
    """The files and, before them, the open documents; with one line end, none that is empty."""
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.py")}
    found |= {name: document.source.encode() for name, document in opened.items()}
    found = {
        name: text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") for name, text in found.items()
    }
    return {name: text for name, text in found.items() if text}


async def test_typing_is_sent_after_a_pause_as_one_edit(keeper, tmp_path):
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("a.py", "start\n" * 1000)
        await keeper.has({"a.py": "start\n" * 1000})
        for n in range(50):
            desk.edit(document, replaced((500, n), (500, n), "k"))
        await keeper.has({"a.py": "start\n" * 500 + "k" * 50 + "start\n" * 500})
        assert keeper.received["a.py"] == 2
        assert b"k" * 50 in keeper.ever


async def test_a_server_that_has_started_anew_gets_everything_again(keeper, tmp_path):
    write(tmp_path, {"a.py": "a\n", "b.py": "b\n"})
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("c.py", "c\n")
        await keeper.has({"a.py": "a\n", "b.py": "b\n", "c.py": "c\n"})
        membership = desk.workspaces.membership(document)
        await keeper.stop()
        while desk.workspaces.membership(document) is not None:
            await asyncio.sleep(0.01)
        desk.edit(document, replaced((0, 0), (0, 0), "c"))
        (tmp_path / "a.py").unlink()
        desk.tell("a.py")
        await keeper.restart()
        await keeper.has({"b.py": "b\n", "c.py": "cc\n"})
        assert desk.workspaces.membership(document) == membership


async def test_a_stream_that_breaks_is_opened_again_and_nothing_is_sent_twice(keeper, tmp_path):
    files = {f"m{n}.py": f"m = {n}\n" for n in range(20)}
    write(tmp_path, files)
    async with Desk(tmp_path, keeper) as desk:
        await keeper.has(files)
        epoch = keeper.epoch
        await keeper.stop()
        (tmp_path / "m0.py").write_text("other\n")
        await keeper.start()
        keeper.epoch = epoch  # the same server: only the connection was lost
        await keeper.until(lambda keeper: keeper.streams == 2)
        desk.tell("m0.py")
        await keeper.has({**files, "m0.py": "other\n"})
        assert keeper.received.total() == len(files) + 1


async def test_need_resync_brings_whole_files_once(keeper, tmp_path):
    files = {f"m{n}.py": f"m = {n}\n" for n in range(10)}
    write(tmp_path, files)
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("o.py", "o\n")
        await keeper.has({**files, "o.py": "o\n"})
        keeper.asks_again = 1
        desk.edit(document, replaced((0, 0), (0, 0), "o"))
        await keeper.has({**files, "o.py": "oo\n"})
        assert keeper.received["m0.py"] == 2 and keeper.streams == 1


async def test_a_refused_file_is_not_sent_again_until_it_changes(keeper, tmp_path):
    keeper.refuses = lambda path, text: "too large" if len(text) > 10 else ""
    write(tmp_path, {"a.py": "x" * 11, "b.py": "b\n"})
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("c.py", "c\n")
        await keeper.has({"b.py": "b\n", "c.py": "c\n"})
        desk.tell("a.py")
        desk.edit(document, replaced((0, 0), (0, 0), "c" * 10))
        await keeper.has({"b.py": "b\n"})
        desk.edit(document, replaced((0, 0), (0, 9), ""))
        await keeper.has({"b.py": "b\n", "c.py": "cc\n"})
        assert keeper.received["a.py"] == 1
        assert desk.folder.stream.stats.refused in (2, 3), "an edit, and perhaps its text"
        desk.write("a.py", "x")
        await keeper.has({"a.py": "x", "b.py": "b\n", "c.py": "cc\n"})


async def test_acknowledgements_bound_what_is_under_way(keeper, tmp_path):
    write(tmp_path, {f"m{n:03}.py": f"m = {n}\n" for n in range(200)})
    keeper.acks.clear()
    async with Desk(tmp_path, keeper) as desk:
        await keeper.until(lambda keeper: keeper.streams)
        while desk.folder._ledger.has_room:
            await asyncio.sleep(0.01)
        assert desk.folder._ledger.version == ledger.WINDOW_CHANGES
        keeper.acks.set()
        await keeper.until(lambda keeper: len(keeper.texts) == 200)


async def test_everything_deleted_is_gone_there(keeper, tmp_path):
    root = tmp_path / "root"
    write(root, {f"p{n % 7}/m{n}.py": "x = 1\n" for n in range(300)})
    async with Desk(root, keeper) as desk:
        await keeper.until(lambda keeper: len(keeper.texts) == 300)
        paths = [path.relative_to(root).as_posix() for path in root.rglob("*.py")]
        for path in paths:
            (root / path).unlink()
        desk.tell(*paths)
        await keeper.has({})
        document = desk.open("a.py", "still here\n")
        await keeper.has({"a.py": "still here\n"})
        desk.close(document)
        for path in sorted(root.rglob("*"), reverse=True):
            path.rmdir()
        root.rmdir()
        await keeper.has({})


async def test_a_deleted_folder_takes_its_files_along(keeper, tmp_path):
    write(tmp_path, {"p/a.py": "a\n", "p/q/b.py": "b\n", "c.py": "c\n"})
    async with Desk(tmp_path, keeper) as desk:
        await keeper.has({"p/a.py": "a\n", "p/q/b.py": "b\n", "c.py": "c\n"})
        (tmp_path / "p").rename(tmp_path / "r")
        desk.tell("p", "r")
        await keeper.has({"r/a.py": "a\n", "r/q/b.py": "b\n", "c.py": "c\n"})


async def test_a_link_is_its_target(keeper, tmp_path):
    write(tmp_path, {"real/a.py": "a = 1\n"})
    (tmp_path / "link.py").symlink_to("real/a.py")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path.parent / "out.py").write_text("secret = 1\n")
    (tmp_path / "out.py").symlink_to(tmp_path.parent / "out.py")
    async with Desk(tmp_path, keeper) as desk:
        await keeper.has({"real/a.py": "a = 1\n"})
        document = desk.open("folder/a.py", "a = 2\n")
        await keeper.has({"real/a.py": "a = 2\n"})
        membership = desk.workspaces.membership(document)
        assert membership is not None and membership.path == "real/a.py"
        outside = desk.open("out.py", "secret = 1\n")
        assert desk.workspaces.membership(outside) is None
        desk.close(document)
        await keeper.has({"real/a.py": "a = 1\n"})


async def test_a_file_that_is_written_while_it_is_read_arrives_whole(keeper, tmp_path, monkeypatch):
    write(tmp_path, {"a.py": "a\n"})
    read = reading.read_regular
    times = 0

    def disturbed(path, limit):
        nonlocal times
        data, stamp = read(path, limit)
        times += path.endswith("a.py")
        if path.endswith("a.py") and times < 3:
            (tmp_path / "a.py").write_text("a" * (times + 1) + "\n")
            return data, None
        return data, stamp

    monkeypatch.setattr(reading, "read_regular", disturbed)
    async with Desk(tmp_path, keeper):
        await keeper.has({"a.py": "aaa\n"})
        assert keeper.ever == {b"aaa\n"}


async def test_what_is_too_much_is_left_out_the_newest_first(keeper, tmp_path):
    for n in range(30):
        write(tmp_path, {f"p/m{n:02}.py": "x" * 1000})
        os.utime(tmp_path / f"p/m{n:02}.py", (1_000_000 + n, 1_000_000 + n))
    write(tmp_path, {"q/near.py": "near\n", "generated.py": b"x = 1\n" * (50 << 17)})
    os.utime(tmp_path / "q/near.py", (1, 1))
    config = replace(Config(), workspace_model=WorkspaceModelConfig(max_bytes=10_005))
    async with Desk(tmp_path, keeper, config) as desk:
        desk.open("q/open.py", "open\n")
        newest = {f"p/m{n:02}.py": "x" * 1000 for n in range(20, 30)}
        await keeper.has({**newest, "q/near.py": "near\n", "q/open.py": "open\n"})
        desk.write("p/late.py", "no room\n")
        os.utime(tmp_path / "p/late.py", (1, 1))
        await asyncio.sleep(0.2)
        assert "p/late.py" not in keeper.texts
        document = desk.open("r/elsewhere.py", "r\n")
        write(tmp_path, {"r/near.py": "near as well\n"})
        os.utime(tmp_path / "r/near.py", (1, 1))
        del newest["p/m20.py"]
        desk.close(document)
        desk.open("r/other.py", "r\n")
        near = {"q/near.py": "near\n", "r/near.py": "near as well\n"}
        await keeper.has({**newest, **near, "q/open.py": "open\n", "r/other.py": "r\n"})


async def test_a_server_with_less_room_has_what_is_wanted_most(keeper, tmp_path):
    for n in range(30):
        write(tmp_path, {f"p/m{n:02}.py": "x" * 1000})
        os.utime(tmp_path / f"p/m{n:02}.py", (1_000_000 + n, 1_000_000 + n))
    keeper.room = 10_200
    newest = {f"p/m{n:02}.py" for n in range(24, 30)}  # some more have room
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("open.py", "o\n")
        await keeper.until(lambda keeper: {*newest, "open.py"} <= {*keeper.texts})
        desk.folder._files.passes.want()
        desk.edit(document, replaced((0, 0), (0, 0), "o"))
        await keeper.until(lambda keeper: keeper.texts.get("open.py") == b"oo\n")
        while desk.folder._pending or not desk.folder._ledger.is_settled:
            await asyncio.sleep(0.01)
        await keeper.until(lambda keeper: {*newest, "open.py"} <= {*keeper.texts})
        assert keeper.received.total() < 90, "and they do not go round for ever"


async def test_a_hundred_thousand_empty_files_cost_no_message(keeper, tmp_path):
    for folder in range(100):
        (tmp_path / f"f{folder}").mkdir()
        for n in range(1000):
            (tmp_path / f"f{folder}" / f"{n}.py").touch()
    write(tmp_path, {"f50/full.py": "full\n"})
    async with Desk(tmp_path, keeper) as desk:
        await keeper.has({"f50/full.py": "full\n"})
        assert keeper.received.total() == 1
        assert len(desk.folder._pending) == 0


async def test_a_document_longer_than_a_message_may_be_is_taken_away(keeper, tmp_path):
    keeper.max_message_bytes = 20_000
    write(tmp_path, {"large.py": "x" * 19_000})
    async with Desk(tmp_path, keeper) as desk:
        document = desk.open("a.py", "x\n")
        await keeper.has({"a.py": "x\n"})
        desk.edit(document, replaced((0, 0), (0, 0), "x" * 15_000))
        await keeper.has({})
        desk.edit(document, replaced((0, 1), (0, 15_000), ""))
        await keeper.has({"a.py": "xx\n"})
        assert max(map(len, keeper.ever)) < sources.LARGEST


def test_a_server_that_fails_for_days_is_still_asked():
    pauses = [sync._pause_s(failures) for failures in range(5000)]
    assert pauses == sorted(pauses)
    assert pauses[:3] == [sync.FIRST_BACKOFF_S] * 2 + [2 * sync.FIRST_BACKOFF_S]
    assert pauses[-1] == sync.LAST_BACKOFF_S
