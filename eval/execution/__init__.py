"""Running generated code: a program in, an outcome out, nothing of the machine touched."""

from __future__ import annotations


def support() -> list[tuple[str, bool, str]]:
    """Return each layer of the sandbox and each language: name, whether it is here, a note."""
    from eval.execution.layers import layers  # the fork server imports this package, bare

    return layers()
