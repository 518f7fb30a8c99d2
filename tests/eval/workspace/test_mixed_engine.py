"""The bundled model with a workspace: other files are heard, and a file's own end is not."""

from dataclasses import replace

import pytest

from completion.config import Config, ModelConfig
from eval.engines.in_process import InProcess
from eval.item import Ask, Item
from eval.workspace.arms import Arm
from eval.workspace.others import OtherFiles

pytestmark = pytest.mark.engine

LINE = b"    quorble_fendant = zimbulate(quorble_fendant, wexing_ostrakon)\n"
ABOVE = b"def quorble(wexing_ostrakon, quorble_fendant):\n"
BELOW = b"    return quorble_fendant\n"
FILLING = b"".join(b"value_%d = compute(%d)\n" % (n, n) for n in range(200))


@pytest.fixture(scope="module")
async def engine():
    async with InProcess(Config(model=ModelConfig(dtype="float32"))) as engine:
        await engine.start()
        yield engine


def item(path):
    cut = LINE.index(b"zimb") + 4
    return Item(
        id=path, path=path, prefix=b"import os\n\n\n" + ABOVE + LINE[:cut],
        reference=LINE[cut:-1], suffix=b"\n" + BELOW,
    )  # fmt: skip


async def answered(engine, root, arm, path):
    others = OtherFiles(Arm(arm), workspace=root)
    (one,) = others.taken([item(path)], None)
    try:
        async with others.asked(one, engine) as asked:
            answer = await engine.answer(asked.item, Ask(lines="single", max_tokens=32))
    finally:
        await others.close()
    return replace(answer, timings=type(answer.timings)())


async def test_another_file_is_heard_and_the_own_one_is_not(engine, tmp_path):
    whole = b"import os\n\n\n" + ABOVE + LINE + BELOW
    others = {f"other_{number}.py": whole * 8 for number in range(4)}
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    for root, texts in (
        (alone, {"own.py": whole, "filling.py": FILLING}),
        (beside, {"own.py": whole, "filling.py": FILLING, **others}),
    ):
        root.mkdir()
        for name, text in texts.items():
            (root / name).write_bytes(text)
    heard = await answered(engine, beside, "workspace", "own.py")
    assert heard.cut == item("own.py").reference
    # Nothing of the line is anywhere but in its own file, which was sent whole.
    deaf = await answered(engine, alone, "workspace", "own.py")
    none = await answered(engine, alone, "none", "own.py")
    assert none.cut != heard.cut
    assert deaf.cut != heard.cut
    # and it makes no difference what another file's request saw of the same state before
    others = OtherFiles(Arm.WORKSPACE, workspace=alone)
    first, own = others.taken([item("filling.py"), item("own.py")], None)
    async with others.asked(first, engine) as asked:
        await engine.answer(asked.item, Ask(lines="single", max_tokens=4))
    async with others.asked(own, engine) as asked:
        again = await engine.answer(asked.item, Ask(lines="single", max_tokens=32))
    await others.close()
    assert again.cut == deaf.cut
