"""What the language server would send along with items of any suite."""

from completion.config import ContextConfig
from eval.build.gathering import with_gathered
from eval.build.tree import SourceFile, tree_of
from eval.item import Item, Related

LIB = b"def deposit_coin(amount, account):\n    return account.balance + amount\n"
MAIN = b"from pack.lib import deposit_coin\n\n\ndef run(account):\n    return deposit_coin(3, account)\n"
CELL = (Related(path="a.ipynb", text=b"x = 1\n", kind="sibling_cell"),)


def item(path="one/pack/main.py", **more):
    cut, end = MAIN.index(b"coin(3") + len(b"coin("), MAIN.rindex(b"\n")
    return Item(
        id=more.pop("id", "i"), path=path, prefix=MAIN[:cut], reference=MAIN[cut:end],
        suffix=MAIN[end:], **more,
    )  # fmt: skip


def tree():
    texts = {
        "one/pack/__init__.py": b"", "one/pack/lib.py": LIB, "one/pack/main.py": MAIN,
        "two/pack/lib.py": LIB.replace(b"amount", b"other_package"),
    }  # fmt: skip
    return tree_of("tree", [SourceFile(path=p, text=t) for p, t in texts.items()])


def test_definitions_of_the_own_package_come_along_and_the_hidden_text_does_not():
    (found,) = with_gathered([item()], tree(), ContextConfig())
    assert (found.prefix, found.suffix) == (item().prefix, item().suffix)
    assert any(b"deposit_coin(amount, account)" in one.text for one in found.related)
    assert all(one.path != "pack/main.py" for one in found.related)
    assert all(item().reference not in one.text for one in found.related)
    assert all(b"other_package" not in one.text for one in found.related)


def test_items_that_bring_something_or_lie_nowhere_stay_as_they_are():
    cell, gone = item(id="cell", related=CELL), item(id="gone", path="one/pack/none.py")
    assert list(with_gathered([cell, gone], tree(), ContextConfig())) == [cell, gone]
