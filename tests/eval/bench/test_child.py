"""A side of a comparison in a process of its own."""

from __future__ import annotations

import psutil
import pytest

from completion.errors import CaretError
from eval.bench.child import Child

ECHO = """
import json, os, sys
print(json.dumps({"ready": os.environ.get("SAID")}), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    if "prompts" not in question:
        print(json.dumps({"error": "no prompts"}), flush=True)
        continue
    answers = [{"ids": p[:1] * question["tokens"], "at_ms": [1.5] * question["tokens"]}
               for p in question["prompts"]]
    print(json.dumps({"answers": answers}), flush=True)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "side.py").write_text(ECHO)
    (tmp_path / "broken.py").write_text("import sys; sys.exit('no such library')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "side"


async def test_it_says_what_each_prompt_was_continued_by(module):
    async with Child(module) as child:
        one, other = await child.run([[7, 8], [9]], 3, fresh=True)
        assert one.token_ids == (7, 7, 7)
        assert other.token_ids == (9, 9, 9)
        assert one.at_ms == (1.5, 1.5, 1.5)
        pid = child._process.pid
    assert not psutil.pid_exists(pid)


async def test_its_environment_is_its_own(module, monkeypatch):
    monkeypatch.setenv("SAID", "outer")
    for environment, said in (({}, "outer"), ({"SAID": "inner"}, "inner"), ({"SAID": None}, None)):
        child = Child(module, environment=environment)
        assert (await child.start())["ready"] == said
        await child.stop()


async def test_what_goes_wrong_is_said_in_one_line(module):
    async with Child(module) as child:
        with pytest.raises(CaretError, match="side: no prompts"):
            await child.ask(call="nothing")
    with pytest.raises(CaretError, match="status 1: no such library"):
        await Child("broken").start()
