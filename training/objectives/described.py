"""The objectives of a run in words, for its card.

Lives here: one line for each, from the recipe's table as a run kept it. Keys that an older recipe
lacks were off.
"""

from __future__ import annotations

from typing import Any

HEADS = {
    "horizon": "how much of the middle is left (HLP, arXiv 2410.03103)",
    "next_type": "the type of the next token (PyCoder, arXiv 2211.04673; CodeFill's name classes)",
}
MIDDLES = {
    "statement": "one whole statement (CodeFill)",
    "body_from_docstring": "a body, from signature and docstring (CodeT5, arXiv 2109.00859)",
    "docstring_from_body": "a docstring, from the body (CodeT5)",
    "identifier": "one occurrence of a name that is used again (CodeT5)",
    "declaration": "where a name is bound, its uses in sight (CodeT5)",
}


def objectives_section(recipe: dict[str, Any]) -> str:
    """Return the section for the nested table of a recipe."""
    on, data = recipe.get("objectives", {}), recipe["data"]
    lines = [
        f"- Weight {on[key]:g} beside the next token, by a head that is not exported: {what}."
        for key, what in HEADS.items()
        if on.get(key)
    ]
    lines += [
        f"- {on[key]:.0%} of middles: {what}." for key, what in MIDDLES.items() if on.get(key)
    ]
    if on.get("masked_identifiers"):
        lines.append(
            f"- {on['masked_identifiers']:.0%} of examples: names behind sentinels everywhere, "
            "then listed (CodeT5)."
        )
    if data.get("definitions_rate"):
        lines.append(
            f"- {data['definitions_rate']:.0%} of examples: definitions of what the middle uses in "
            "front (Context and Curriculum FIM, arXiv 2412.16589)."
        )
    if data.get("order", "shuffled") != "shuffled":
        lines.append(
            f"- Documents in {data['order']} order (In-Context Pretraining, arXiv 2310.10638)."
        )
    if data.get("middles"):
        kinds = ", ".join(f"{kind} {share:.0%}" for kind, share in data["middles"].items())
        lines.append(f"- The other middles: {kinds}.")
    body = "\n".join(lines) or "- The next token alone, on the ordinary middles."
    return f"## Objectives\n\n{body}"
