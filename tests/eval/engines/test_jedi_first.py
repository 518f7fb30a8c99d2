"""The baseline that takes jedi's first completion; jedi runs for real, in its own process."""

import pytest

from eval.engines.jedi_first import JediFirst
from eval.item import Ask
from tests.eval.engines.hostile import HOSTILE, item


@pytest.fixture(scope="module")
async def jedi():
    engine = JediFirst(workers=1, limit_s=30)
    await engine.start()
    yield engine
    await engine.stop()


async def test_the_end_of_a_name_of_the_text_is_completed(jedi):
    prefix = "class A:\n    def zebra_crossing(self): pass\n\nA().zeb"
    found = await jedi.answer(item(prefix), Ask())
    assert found.raw == found.cut == b"ra_crossing"
    assert found.raw_end == "model"


async def test_a_name_defined_below_the_cursor_is_known(jedi):
    found = await jedi.answer(item("def f():\n    return quagg", "\n\nquagga = 1\n"), Ask())
    assert found.raw == b"a"


async def test_the_first_names_are_ranked(jedi):
    fields = "".join(f"    member_{n:02} = {n}\n" for n in range(15))
    asked = item(f"class A:\n{fields}\nA.mem")
    found = await jedi.answer(asked, Ask(candidates=10))
    assert found.ranked == tuple(b"ber_%02d" % n for n in range(10))
    assert found.ranked[0] == found.raw


async def test_it_is_silent_where_jedi_has_nothing(jedi):
    found = await jedi.answer(item("nothing_like_that_is_anywhere"), Ask())
    assert found.raw is None and found.cut is None and found.ranked == ()


async def test_it_is_silent_in_other_languages(jedi):
    found = await jedi.answer(item("conso", language="javascript", path="a.js"), Ask())
    assert found.raw is None


async def test_the_standard_library_is_known_and_what_is_installed_here_is_not(jedi):
    assert (await jedi.answer(item("import json\njson.dum"), Ask())).raw == b"p"
    assert (await jedi.answer(item("import pytest\npytest.approx"), Ask())).raw is None
    assert (await jedi.answer(item("import hypothes"), Ask())).raw is None


async def test_a_module_of_the_working_folder_is_neither_seen_nor_run(tmp_path, monkeypatch):
    (tmp_path / "wombat.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\nburrow = 1\n"
    )
    monkeypatch.chdir(tmp_path)
    engine = JediFirst(workers=1, limit_s=30)
    await engine.start()
    try:
        found = await engine.answer(item("import wombat\nwombat.burr"), Ask())
    finally:
        await engine.stop()
    assert found.raw is None
    assert not (tmp_path / "ran").exists()


async def test_one_that_takes_too_long_is_silent_and_the_next_is_answered():
    engine = JediFirst(workers=1, limit_s=0.001)
    await engine.start()
    try:
        asked = item("import json\njson.dum")
        assert (await engine.answer(asked, Ask())).raw is None
        engine._limit_s = 30
        assert (await engine.answer(asked, Ask())).raw == b"p"
    finally:
        await engine.stop()


@pytest.mark.parametrize("name", [n for n in HOSTILE if "megabyte" not in n])
async def test_hostile_texts_never_raise(jedi, name):
    found = await jedi.answer(HOSTILE[name], Ask(candidates=10))
    assert (found.raw is None) == (found.cut is None)


async def test_stop_may_be_repeated_and_come_first():
    engine = JediFirst()
    await engine.stop()
    await engine.start()
    await engine.stop()
    await engine.stop()
