"""The store and the matcher against the plain list of them, whatever happens to the store."""

from __future__ import annotations

import threading

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from completion.workspace import index, scan, store, view
from completion.workspace.match import Match, Matcher
from completion.workspace.merge import Merge
from completion.workspace.store import Place, Store
from tests.completion.workspace.listed import followed, matched

IDS = {16_384: (0, 1, 2, 255, 256, 16_383), 262_144: (0, 1, 65_535, 65_536, 151_643, 262_143)}
PATHS = ("a.py", "b.py", "c/d.py")


def counts(match: Match | None) -> tuple[int, dict[int, float]]:
    if match is None:
        return 0, {}
    assert match.seen == sum(match.weights)
    return match.length, dict(zip(match.ids.tolist(), match.weights.tolist(), strict=True))


@st.composite
def texts(draw: st.DrawFn, ids: tuple[int, ...], most: int = 40) -> list[int]:
    few = draw(st.sampled_from((ids[:2], ids[:3], ids)))
    line = draw(st.lists(st.sampled_from(few), max_size=most))
    return line * draw(st.sampled_from((1, 1, 1, 2, 5)))


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing is estimated."""
    monkeypatch.setattr(scan, "MOST_INSPECTED", 1 << 20)
    monkeypatch.setattr(view, "MOST_INSPECTED", 1 << 20)
    return monkeypatch


@pytest.fixture(params=["as it is", "small"])
def sizes(request: pytest.FixtureRequest, exact: pytest.MonkeyPatch) -> str:
    """Bounds between one way and another: as they are, or so small that each way is gone."""
    if request.param == "small":
        for module in (scan, view):
            exact.setattr(module, "FEW", 2)
        exact.setattr(scan, "_SHORT", 30)
        exact.setattr(index, "BLOCK", 4)
        exact.setattr(index, "_PIECE", 16)
        exact.setattr(store, "_SMALL", 3)
    return request.param


@pytest.mark.parametrize("vocabulary", IDS)
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the same for all examples
)
@given(data=st.data())
def test_what_is_found_is_what_a_plain_search_finds(
    sizes: str, vocabulary: int, data: st.DataObject
) -> None:
    ids = IDS[vocabulary]
    held = Store(vocabulary)
    files: dict[str, list[int]] = {}
    merge: Merge | None = None
    frozen = []
    for _ in range(data.draw(st.integers(1, 10), label="steps")):
        path = data.draw(st.sampled_from(PATHS))
        step = data.draw(
            st.sampled_from(
                (
                    "put",
                    "put",
                    "splice",
                    "splice",
                    "remove",
                    "merge",
                    "begin",
                    "end",
                    "anew",
                    "view",
                )
            )
        )
        if step == "put":
            files[path] = data.draw(texts(ids))
            assert held.put(path, files[path]).kept == len(files[path])
        elif step == "splice" and path in files:
            start = data.draw(st.integers(0, len(files[path])))
            removed = data.draw(st.integers(0, len(files[path]) - start))
            new = data.draw(texts(ids, 10))
            files[path] = files[path][:start] + new + files[path][start + removed :]
            assert held.splice(path, start, removed, new).kept == len(files[path])
        elif step == "remove":
            files.pop(path, None)
            held.remove(path)
        elif step == "merge":
            held.merge()
        elif step == "begin":
            merge = held.begin_merge()
            merge.run()
        elif step == "end" and merge is not None:
            held.end_merge(merge)
        elif step == "anew":
            held._crowded = True
        elif step == "view":
            frozen.append((held.view(), dict(files), data.draw(texts(ids))))
    assert held.tokens == sum(map(len, files.values()))
    assert {path: held.read(path).tolist() for path in held.paths} == files
    without = data.draw(st.sampled_from((None, *PATHS)))
    seen = {path: text for path, text in files.items() if path != without}
    frozen.append((held.view(without), seen, data.draw(texts(ids))))
    longest = data.draw(st.integers(1, 8))
    for seen_by, contents, text in frozen:
        matcher = Matcher(seen_by, text, longest=longest)
        for token in [*data.draw(st.lists(st.sampled_from((-1, *ids)), max_size=8)), None]:
            length, found = matched(contents, text, longest, 2)
            assert counts(matcher.find()) == (length, found)
            for follower in found if contents is seen else ():
                context = text[len(text) - length :]
                places = {
                    Place(path, at)
                    for path, file in seen.items()
                    for at in followed(file, context)
                    if file[at] == follower
                }
                place = matcher.where(held, follower)
                assert (place is None and not places) or place in places
            if token is not None:
                text = [*text, token]
                matcher.append(token)


def test_edits_go_on_while_a_merge_runs_in_another_thread(exact: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    held = Store(50)
    files = {path: rng.integers(0, 50, 3_000).tolist() for path in PATHS}
    for path, ids in files.items():
        held.put(path, ids)
    for anew in (False, True, False, True):
        held._crowded = anew
        merge = held.begin_merge()
        thread = threading.Thread(target=merge.run)
        thread.start()
        for _ in range(60):
            path = PATHS[rng.integers(0, 3)]
            start = int(rng.integers(0, len(files[path]) - 20))
            removed = int(rng.integers(0, 20))
            new = rng.integers(0, 50, rng.integers(0, 20)).tolist()
            files[path][start : start + removed] = new
            held.splice(path, start, removed, new)
        thread.join()
        held.end_merge(merge)
        assert {path: held.read(path).tolist() for path in PATHS} == files
        for _ in range(20):
            at = int(rng.integers(8, 2_000))
            text = files["a.py"][at - 8 : at]
            assert counts(Matcher(held.view(), text).find()) == matched(files, text, 8, 2)
            others = {path: ids for path, ids in files.items() if path != "a.py"}
            assert counts(Matcher(held.view("a.py"), text).find()) == matched(others, text, 8, 2)
