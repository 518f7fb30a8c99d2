"""What each metric is, in a sentence for a reader of the report."""

from __future__ import annotations

import re
from collections.abc import Iterable

from eval.report.figures import named
from eval.report.markup import Html, element
from eval.suites.base import CUT

_SAMPLES = (
    "Share of items for which at least one of k samples makes a program that passes the item’s tests; "
    "the unbiased estimate of Chen et al. 2021 over all samples that were drawn."
)
_CALL = (
    "Share of library calls that are the reference’s once all blanks are left out; in Python, whose "
    "positional arguments are the same in their order and whose keyword arguments by name, whatever "
    "is called (SAFIM’s rule)."
)
_TRUNCATED = "The same, of the raw text behind SAFIM’s published syntax-aware truncation: "
_DEFINITIONS = (
    (r"pass@\d+", _SAMPLES),
    (r"pass@\d+_truncated", f"{_SAMPLES} Here {_TRUNCATED[0].lower()}{_TRUNCATED[1:]}to the first line "
     "(Python) or to the bracket that closes what was open before."),
    (r"syntax_match", _CALL),
    (r"syntax_match_truncated", f"{_CALL} Here {_TRUNCATED[0].lower()}{_TRUNCATED[1:]}up to its first "
     "closing bracket, which cuts some references themselves."),
    (r"exact_match_line", "Share of items whose first line is the reference’s first line: blanks before "
     "it count, those behind it do not, and what follows the line is left aside."),
    (r"exact_match_unspaced", "Share of items whose text is the reference once every blank of both is "
     "left out: right but for the published form’s blanks between tokens."),
    (r"identifier_(em|exact_match|match)", "Share of items whose identifiers are the reference’s, in "
     "their order; all other tokens are left aside. Of raw texts, of the first statement."),
    (r"identifier_f1", "Harmonic mean of precision and recall over the sets of identifiers of the "
     "completion and of the reference; 0 where neither has one, as in CrossCodeEval’s script."),
    (r"(exact_match|em|exact_.*)", "Share of items whose text is the reference, blanks as the "
     "suite’s protocol treats them."),
    (r"(edit_similarity|es|.*_edit_similarity)", "How much of two texts need not be typed again: 1 − "
     "d / (|a| + |b|), where d counts inserted and deleted characters; 100 % is the same text."),
    (r"token_accuracy", "Share of tokens that are predicted right, over all tokens that count."),
    (r"accuracy(@\d+)?", "Share of items whose first token is the reference’s first token: of the raw "
     "text, of the best candidate."),
    (r"mrr(@\d+)?|reciprocal_rank", "Mean of 1 / rank of the right first token among those of the ten "
     "best candidates, an equal one counted once; 0 where it is not among them."),
    (r"rouge_?l.*", "ROUGE-L: F-measure of the longest common subsequence of tokens with the reference; "
     "the next four tokens, up to the end of the logical line."),
    (r"meteor.*", "METEOR: matched tokens weighted to recall, less a penalty for the pieces they lie "
     "in. A perfect answer of m tokens scores 1 − 0.5 / m³ by its definition, and never 1; the same "
     "four tokens as ROUGE-L."),
    (r"first_token_cut_off", "Share of items whose best candidate ran into the limit of tokens within "
     "its first token, which then may be wrong for that reason alone; less is better."),
    (r"ended_by_model", "Share of middles that the model ended itself, with its end token, and not its "
     "token limit."),
    (r"ended_rightly", "Share of texts that end where the reference ends, of those that are right as "
     "far as they go: of two texts of which neither is the beginning of the other, with words taken "
     "whole, nothing can be said. So it is of fewer items, and tells stopping from writing."),
    (r"lines_right", "Share of texts that have as many lines as the reference, whatever they say; "
     "blank lines at the ends do not count."),
    (r"repeats_suffix", "Share of completions that end in, or go on with, what stands behind the "
     "cursor already; less is better."),
    (r"first_line.*", "The same, of the first line of both texts alone."),
    (r"keystrokes_saved", "Keys not pressed, of the keys of typing all of it; taking a completion costs "
     "one key. Pooled over files; below 0 where taking cost more than it brought."),
    (r"chars_saved", "Characters that completions brought, of all characters of the typed regions; "
     "pooled over files."),
    (r"shown", "Requests at which something was shown, of all requests: one behind each key and behind "
     "each completion taken."),
    (r"accepted", "Completions taken, whole or their first line, of those shown. One that stays while it "
     "is typed through is asked for, shown and counted anew at each key."),
    (r"wrong_edit", "Completions whose text came next and which would have spoilt the file all the same, "
     "by what they replace, of those shown; less is better."),
    (r"served_without_model", "Of the completions shown, those for which no model was asked, because one "
     "was typed through or kept; known through a language server alone."),
    (r"model_requests", "Requests that went to the model, of all requests; known through a language "
     "server alone."),
    (r"recomputed_p\d+_tokens", "What a key costs: of a file's requests that went to the model, this "
     "percentile of the prompt's tokens that had to be computed again; the mean over files; less is "
     "better. No share."),
    (r"bits_per_byte_\d+", "Bits per byte of one of several models alone, by its number, read in the "
     "same run as their mean; less is better. No share."),
    (r"bits_per_byte.*", "Negative log-likelihood of held-out files in bits, read left to right, over "
     "the UTF-8 bytes of their text, pooled over files; less is better, 0 is certainty, and it does not "
     "depend on the tokenizer. No share."),
)  # fmt: skip
"""Pattern of the names, and the sentence; the first that matches counts."""

_REMARKS = (
    (r"meteor.*", "METEOR is below 100 % for a perfect answer, by its definition"),
    (r"identifier_f1", "identifier F1 is 0 where a line has no identifier, and a reference over two "
     "statements is missed, as published"),
)  # fmt: skip
"""What must be known to read a figure rightly, and is said beside it."""


def definition(metric: str) -> str:
    """Return what a metric is; of one that is not known here, where to read it."""
    for pattern, sentence in _DEFINITIONS:
        if re.fullmatch(pattern, metric.removesuffix(CUT)):
            return sentence
    return "Defined by its suite."


def remarks(metrics: Iterable[str]) -> list[str]:
    """Return the lines that must stand beside a table of ``metrics``; mostly none."""
    names = [metric.removesuffix(CUT) for metric in metrics]
    return [
        line for pattern, line in _REMARKS if any(re.fullmatch(pattern, name) for name in names)
    ]


def listed(metrics: Iterable[str]) -> Html:
    """Return the definitions of ``metrics``, in their order."""
    pairs = ((element("dt", named(m)), element("dd", definition(m))) for m in metrics)
    return element("dl", *(part for pair in pairs for part in pair))
