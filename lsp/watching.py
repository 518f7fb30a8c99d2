"""Files that change on disk, as the editor tells of them: which are asked for, and which were named."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from completion.syntax.languages import LANGUAGES
from lsp.context.ignore import IGNORE_FILES
from lsp.paths import file_path

ID = "caret-watched-files"


def can_watch(capabilities: types.ClientCapabilities) -> bool:
    """Whether the editor lets a server ask for files to be watched."""
    workspace = capabilities.workspace
    watched = workspace.did_change_watched_files if workspace else None
    return bool(watched and watched.dynamic_registration)


def registration() -> types.RegistrationParams:
    """Return what asks for source files, ignore files, and git's own note of the branch."""
    endings = sorted({end.removeprefix(".") for one in LANGUAGES for end in one.extensions})
    names = ",".join(sorted(IGNORE_FILES))
    options = types.DidChangeWatchedFilesRegistrationOptions(
        watchers=[
            types.FileSystemWatcher(glob_pattern=f"**/*.{{{','.join(endings)}}}"),
            types.FileSystemWatcher(glob_pattern=f"**/{{{names}}}"),
        ]
    )
    one = types.Registration(
        id=ID, method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES, register_options=options
    )
    return types.RegistrationParams(registrations=[one])


def paths_of(changes: Iterable[types.FileEvent]) -> list[str]:
    """Return the paths of this machine that were named."""
    found = (file_path(change.uri) for change in changes)
    return [path for path in found if path]
