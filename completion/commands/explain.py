"""``caret explain FILE:LINE:COL``: the prompt, what went into it and what did not, and why."""

from __future__ import annotations

import argparse
import asyncio
import json

from google.protobuf.json_format import MessageToDict

from completion.commands import complete
from completion.commands.context import Context, in_workspace, with_context
from completion.commands.explain_view import Explanation, show
from completion.commands.flags import words_for_server
from completion.commands.place import read_place, request_for, service
from completion.syntax.languages import language_for, why_no_grammar
from completion.terminal import Terminal
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.names import as_utf8

NOTEBOOK = (
    "a notebook, taken as the JSON that it is here; an editor sends its cells, each with the others"
)
HELP = "the prompt, its parts and the timings at FILE:LINE:COL"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments: those of ``caret complete``."""
    complete.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    place = read_place(args.place)
    request, context = with_context(args, place, request_for(place, complete.options(args)))
    answer, model = asyncio.run(_ask(args, context, request))
    unhealed = model.healing_reason if model.healing == pb.HEALING_OFF else ""
    language = _language(str(place.path))
    if args.json:
        tree = MessageToDict(answer, preserving_proto_field_name=True)
        tree["prompt"] = answer.prompt.decode("utf-8", "backslashreplace")
        for part, sent in zip(tree.get("parts", []), answer.parts, strict=True):
            part["text"] = sent.text.decode("utf-8", "backslashreplace")
        tree["response"] = complete.as_json(answer.response)
        tree["language"] = language
        tree["context"] = _context(context, request)
        if unhealed:
            tree["healing_reason"] = unhealed
        print(json.dumps(tree, indent=2))
    else:
        shown = Explanation(
            place=as_utf8(args.place),
            language=language,
            context=context,
            answer=answer,
            unhealed=unhealed,
        )
        show(shown, Terminal(highlight=False))
    return 0


async def _ask(
    args: argparse.Namespace, context: Context, request: pb.CompleteRequest
) -> tuple[pb.ExplainResponse, pb.Model]:
    async with (
        service(args.server, words_for_server(args)) as channel,
        in_workspace(args, context, request, channel) as asked,
    ):
        stub = rpc.CompletionServiceStub(channel)
        return await stub.Explain(asked), await stub.GetModel(pb.GetModelRequest())


def _language(path: str) -> str:
    language = language_for("", path)
    if path.lower().endswith(".ipynb"):
        return NOTEBOOK
    if language is None:
        return why_no_grammar(None)
    missing = why_no_grammar(language)
    return f"{language.name}: {missing}" if missing else language.name


def _context(context: Context, request: pb.CompleteRequest) -> dict[str, object]:
    """Return what was gathered, with the snippets as they were sent."""
    from lsp.context.told import described

    if context.gathered is None:
        return {"off": context.off}
    tree = described("", context.gathered)
    del tree["uri"]
    for one, snippet in zip(tree["snippets"], request.snippets, strict=True):
        one["text"] = snippet.text.decode("utf-8", "replace")
    return {"root": as_utf8(str(context.root)), **tree}
