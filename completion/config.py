"""What can be set: one frozen tree of dataclasses, each option with its help and its limits.

A workspace's file comes with the code one opens, so it may set only the options marked ``workspace``:
never where code is sent, never a command. Where options are read from is in
:mod:`completion.config_sources`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from completion import globs, scope_rules
from completion.wire.credentials import Credentials


def option(
    default: Any,
    help: str,  # noqa: A002 - the field's standard name
    *,
    workspace: bool = False,
    off_only: bool = False,
    choices: Sequence[str] = (),
    low: float | None = None,
    high: float | None = None,
    check: Callable[[Any], None] | None = None,
) -> Any:
    """Return a dataclass field with its one-line ``help``, its limits, and who may set it.

    A ``workspace`` may set what is marked so, and of what is marked ``off_only`` nothing but false.
    ``check`` raises ValueError for a value of the right type that is wrong all the same.
    """
    return field(
        default=default,
        metadata={
            "help": help, "workspace": workspace or off_only, "off_only": off_only,
            "choices": tuple(choices), "low": low, "high": high, "check": check,
        },
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """Which model is served, and on what."""

    path: str = option("bundled", "a model folder, a Hugging Face id, or `bundled`")
    device: str = option(
        "auto",
        "where the model runs: CUDA when present, else the CPU",
        choices=("auto", "cpu", "cuda"),
    )
    dtype: str = option(
        "auto",
        "number format of the weights in memory",
        choices=("auto", "bfloat16", "float16", "float32"),
    )
    context_tokens: int = option(
        0, "prompt and answer together, in tokens; 0: what the model was trained for", low=0
    )
    arm: str = option(
        "auto",
        "how the model is asked: layout and healing; `auto`: as measured and stored with it",
        choices=(
            "auto",
            "psm",
            "spm",
            "naive_psm",
            "naive_spm",
            "one_token_psm",
            "one_token_spm",
            "exact_spm",
            "exact_psm_word",
            "exact_psm_line",
        ),
    )
    workspace_tokens: int = option(
        3_000_000, "most tokens of one workspace that are held to be mixed in; 0: none ever is",
        low=0, high=100_000_000,
    )  # fmt: skip
    draft_tokens: int = option(
        6, "most tokens a step that are drafted from the document and the workspace, for the model to "
        "confirm: faster, the same text; 0: none", low=0, high=32,
    )  # fmt: skip
    engine_args: tuple[str, ...] = option((), "further vLLM engine arguments, each `name=value`")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerConfig:
    """The gRPC service."""

    listen: str = option(
        "127.0.0.1:50151",
        "`HOST:PORT`, or `unix:PATH`; other machines are served with TLS and tokens only",
    )
    metrics: str = option("", "`HOST:PORT` on loopback for Prometheus; empty: off")
    max_running: int = option(16, "requests in the engine at once", low=1, high=1024)
    max_queued: int = option(
        32, "requests waiting beyond those; one more is refused at once", low=0
    )
    max_message_bytes: int = option(4 << 20, "largest request, in bytes", low=1 << 16, high=1 << 30)
    tls_cert: str = option("", "certificate chain of `HOST:PORT`, a PEM file; empty: no TLS")
    tls_key: str = option("", "its private key, a PEM file that nobody else may read")
    tls_client_ca: str = option(
        "", "authorities of clients' certificates, a PEM file; empty: clients need none"
    )
    token_file: str = option(
        "", "who may ask: a line `name token` or `token` each, in a file that nobody else may read; "
        "empty: everybody who can connect",
    )  # fmt: skip
    insecure: bool = option(
        False, "whether other machines may be served without TLS or tokens: whoever is on the "
        "network reads the code, or asks",
    )  # fmt: skip
    max_running_per_caller: int = option(
        16, "requests of one caller at once, of those whom a token or a certificate names; 0: any",
        low=0, high=1024,
    )  # fmt: skip
    max_per_second_per_caller: float = option(
        100.0, "calls of one such caller in a second; 0: any", low=0, high=1e6
    )
    drain_seconds: float = option(
        10.0, "how long running requests may finish after SIGTERM", low=0, high=3600
    )
    log_level: str = option(
        "info", "least severe line that is logged", choices=("debug", "info", "warning", "error")
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerationConfig:
    """What is generated when a request leaves it open."""

    max_tokens: int = option(128, "longest block, in tokens", low=1, high=4096)
    max_line_tokens: int = option(64, "longest line or statement, in tokens", low=1, high=4096)
    max_candidates: int = option(10, "most candidates that one request may ask for", low=1, high=64)
    min_chars: int = option(
        3, "fewest characters (no blanks) worth a suggestion that nobody asked for; the end of a word "
        "that the document knows always is", low=0, high=100,
    )  # fmt: skip
    deadline_margin_ms: float = option(
        15.0, "how long before the caller's deadline what there is goes out", low=0
    )
    prefix_share: float = option(
        0.75,
        "share of the document's budget that text before the cursor may take",
        low=0.1,
        high=0.95,
    )
    snippet_share: float = option(
        0.4, "share of the whole budget that other files may take", low=0.0, high=0.9
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientConfig:
    """The language server, `caret lsp`."""

    enabled: bool = option(
        True, "whether anything is suggested at all, asked for or not", workspace=True
    )
    automatic: bool = option(
        True, "whether suggestions come by themselves; false: only when asked for", workspace=True
    )
    server: str = option(
        "", "address of a running `caret serve`, or of several that serve the same (replicas), with "
        "commas between; empty: one is started, for all editors of the user",
    )  # fmt: skip
    token_file: str = option(
        "", "file of the token for `server`, which nobody else may read; sent to another machine "
        "over TLS only",
    )  # fmt: skip
    tls_ca: str = option(
        "", "authorities that vouch for `server`, a PEM file, or `system`: those of gRPC; empty: "
        "no TLS. A unix socket never has any",
    )  # fmt: skip
    tls_cert: str = option("", "certificate chain by which `server` knows this client, a PEM file")
    tls_key: str = option("", "its private key, a PEM file that nobody else may read")
    shared_server: bool = option(
        True, "whether the server that is started is shared; false: each editor has one of its own"
    )
    idle_minutes: float = option(
        15.0, "how long the shared server stays when the last editor has gone", low=0.05, high=1e5
    )
    disabled_languages: tuple[str, ...] = option(
        (), "LSP language ids in which nothing is suggested by itself", workspace=True
    )
    disabled_globs: tuple[str, ...] = option(
        (), "files in which nothing is suggested by itself, as patterns of `.gitignore`",
        workspace=True, check=globs.check,
    )  # fmt: skip
    disabled_scopes: tuple[str, ...] = option(
        (), "of `comment`, `string` and `docstring` those where nothing is suggested by itself; "
        "`python:string` means one language, `*.md:comment` some files",
        workspace=True, check=scope_rules.check,
    )  # fmt: skip
    after_deletion: bool = option(
        False, "whether a suggestion may come by itself right after a backspace", workspace=True
    )
    min_line_chars: int = option(
        0, "characters (no blanks) before the cursor on its line, before something is suggested "
        "by itself", workspace=True, low=0, high=1000,
    )  # fmt: skip
    min_word_chars: int = option(
        0, "characters of a word begun, before something is suggested by itself",
        workspace=True, low=0, high=100,
    )  # fmt: skip
    max_file_bytes: int = option(
        2 << 20, "larger documents get no suggestions", workspace=True, low=1, high=8 << 20
    )
    context_bytes: int = option(
        64 << 10, "most bytes sent before the cursor, and after it", workspace=True, low=256
    )
    candidates: int = option(1, "suggestions asked for at a time", workspace=True, low=1, high=8)
    lines: str = option(
        "auto", "single lines, whole blocks, or as the syntax at the cursor says",
        workspace=True, choices=("auto", "single", "multi"),
    )  # fmt: skip
    speculate: bool = option(
        True, "whether completions are asked for ahead of time while nobody types: behind the one "
        "that is shown, and where the cursor was put", workspace=True,
    )  # fmt: skip
    timeout_ms: float = option(
        4000.0, "deadline of one suggestion", workspace=True, low=10, high=600_000
    )
    start_timeout_s: float = option(
        120.0, "how long a server that is started may take to load", low=1, high=3600
    )

    @property
    def credentials(self) -> Credentials:
        """What is shown to the server that ``server`` or ``--server`` names, and asked of it."""
        return Credentials(
            token_file=self.token_file,
            tls_ca=self.tls_ca,
            tls_cert=self.tls_cert,
            tls_key=self.tls_key,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextConfig:
    """What is sent of other files: gathered in the background, from inside the workspace only."""

    enabled: bool = option(True, "whether anything of other files is sent", workspace=True)
    definitions: bool = option(
        True, "definitions of the symbols used near the cursor", workspace=True
    )
    imports: bool = option(
        True, "signatures of the workspace's modules that the file imports", workspace=True
    )
    recent_edits: bool = option(True, "places edited last", workspace=True)
    viewed: bool = option(True, "places looked at last", workspace=True)
    open_files: bool = option(True, "what is like the cursor's lines in open files", workspace=True)
    sibling_cells: bool = option(True, "the other cells of a notebook", workspace=True)
    static_analysis: bool = option(
        True, "whether jedi, where installed, says which definition a Python name means",
        workspace=True,
    )  # fmt: skip
    max_bytes: int = option(
        4096, "most bytes sent of other files; the server takes what its model has room for",
        workspace=True, low=0, high=1 << 20,
    )  # fmt: skip
    definitions_ms: float = option(
        1500.0, "how long definitions may be looked for, in the background", workspace=True,
        low=0, high=60_000,
    )  # fmt: skip
    imports_ms: float = option(
        500.0, "how long imports may be followed, in the background", workspace=True,
        low=0, high=60_000,
    )  # fmt: skip
    windows_ms: float = option(
        300.0, "how long places edited, looked at or open may be compared, in the background",
        workspace=True, low=0, high=60_000,
    )  # fmt: skip
    excluded_globs: tuple[str, ...] = option(
        (), "files of which nothing is ever sent, as patterns of `.gitignore`; a workspace says the "
        "same in a `.caretignore`", check=globs.check,
    )  # fmt: skip
    max_file_bytes: int = option(
        1 << 20, "larger files are not read for context", workspace=True, low=1, high=8 << 20
    )
    index: bool = option(
        True, "whether the workspace's definitions are kept in an index, in a process of its own",
        workspace=True,
    )  # fmt: skip
    index_files: int = option(
        200_000, "most files in the index of one workspace folder", workspace=True, low=0,
        high=1_000_000,
    )  # fmt: skip
    index_memory_mb: int = option(
        512, "most memory of the index's process; it begins anew where it needs more", low=64
    )
    index_cpu_share: float = option(
        0.5, "most of one CPU core that the index's process takes, on average", low=0.01, high=1.0
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PopupConfig:
    """The editor's list of names, `textDocument/completion`."""

    enabled: bool = option(
        True, "whether names are offered; false where another language server already does",
        workspace=True,
    )  # fmt: skip
    ranking: str = option(
        "both", "best first by static analysis alone, by the model, or by the model with names of "
        "nearer scopes weighing more; by the model, the name that ghost text says comes first",
        workspace=True, choices=("static", "model", "both"),
    )  # fmt: skip
    budget_ms: float = option(
        150.0, "how long a list may take; what is not known by then is left out, and where the model "
        "has not answered the order is that of static analysis", workspace=True, low=1, high=60_000,
    )  # fmt: skip
    max_items: int = option(100, "most names in a list", workspace=True, low=1, high=1000)
    max_scored: int = option(
        64, "most names that the model is asked about at one place", workspace=True, low=0, high=256
    )
    disabled_scopes: tuple[str, ...] = option(
        ("comment", "string", "docstring"), "where no names are offered, as in `client`",
        workspace=True, check=scope_rules.check,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceModelConfig:
    """The server's copy of the workspace, for a model of the project's own words."""

    enabled: bool = option(
        True, "whether the workspace's source files are sent to the server, and kept in step there; "
        "never while `context.enabled` is false",
    )  # fmt: skip
    remote: bool = option(
        False, "whether that holds for a server on another machine, too: all of the project's source "
        "then leaves this one",
    )  # fmt: skip
    max_bytes: int = option(
        8 << 20, "most bytes sent of one workspace folder; beyond it what is near to open files and "
        "what is newest is sent", low=0, high=256 << 20,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackConfig:
    """What became of suggestions, kept on this machine: numbers only, never source text."""

    enabled: bool = option(
        True, "whether it is kept at all; a workspace can only switch it off", off_only=True
    )
    share: bool = option(
        False, "whether it is also sent to the server, which counts it in its metrics"
    )
    keep_days: int = option(90, "how long it is kept", low=1, high=3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Everything that can be set."""

    model: ModelConfig = field(default_factory=ModelConfig)
    server: ServerConfig = field(default_factory=ServerConfig)
    generation: GenerationConfig = field(default_factory=GenerationConfig)
    client: ClientConfig = field(default_factory=ClientConfig)
    context: ContextConfig = field(default_factory=ContextConfig)
    workspace_model: WorkspaceModelConfig = field(default_factory=WorkspaceModelConfig)
    feedback: FeedbackConfig = field(default_factory=FeedbackConfig)
    popup: PopupConfig = field(default_factory=PopupConfig)


def reference() -> str:
    """Return the Markdown tables of every option; the README holds exactly this text."""
    lines: list[str] = []
    for section in fields(Config):
        cls: Any = section.default_factory
        lines += [f"**[{section.name}]** {cls.__doc__.splitlines()[0]}", ""]
        lines += ["| key | default | meaning |", "| --- | --- | --- |"]
        for key in fields(cls):
            shown = list(key.default) if isinstance(key.default, tuple) else key.default
            text = str(shown).lower() if isinstance(shown, bool) else repr(shown).replace("'", '"')
            choices = key.metadata["choices"]
            listed = f" ({', '.join(choices)})" if choices else ""
            mark = " †" if key.metadata["workspace"] else ""
            lines.append(f"| `{key.name}`{mark} | `{text}` | {key.metadata['help']}{listed} |")
        lines.append("")
    return "\n".join(lines)
