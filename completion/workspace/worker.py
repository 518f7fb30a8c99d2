"""What a worker of an engine core holds of workspaces, and how the service reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from completion.workspace.fit import Fit
from completion.workspace.mix import Mixer
from completion.workspace.rows import RowMixer
from completion.workspace.workspaces import Workspaces, call


class HoldsWorkspaces:
    """Mixed in before vLLM's worker; ``collective_rpc`` calls :meth:`caret_workspaces` by name."""

    rows: RowMixer | None = None
    """``None`` until the service has begun."""
    lines_end: frozenset[int] = frozenset()
    """Ids of tokens that a line ends with, or in."""

    def caret_workspaces(self, method: str, *words: Any) -> Any:
        """Call ``begin`` of this class, or a method of :class:`Workspaces`."""
        if method == "begin":
            return self._begin(*words)
        if self.rows is None:
            raise RuntimeError("workspaces are not begun")
        return call(self.rows.workspaces, method, *words)

    def caret_running(self) -> int:
        """Return for how many requests there is anything here or in the runner."""
        followed = 0 if self.rows is None else len(self.rows)
        return max(followed, super().caret_running())  # type: ignore[misc]

    def _begin(
        self,
        vocabulary: int,
        kept: Sequence[int],
        lines_end: Sequence[int],
        fit: str,
        most_tokens: int,
        most_file: int,
    ) -> None:
        """Hold workspaces from now on.

        ``kept``: ids whose probability is the model's alone; ``lines_end``: of tokens with a line break;
        ``fit``: JSON of what stands for a fit until a workspace has its own.
        """
        self.lines_end = frozenset(lines_end)
        workspaces = Workspaces(
            vocabulary, Fit.from_json(fit), most_tokens=most_tokens, most_file_tokens=most_file
        )
        self.rows = RowMixer(workspaces, Mixer(kept, vocabulary))
        self._begun()

    def _begun(self) -> None:
        """Do what else is to be done when there are workspaces."""
