"""What each metric is, in a sentence for a reader of the report."""

from __future__ import annotations

import re
from collections.abc import Iterable

from eval.report.figures import named
from eval.report.markup import Html, element

_DEFINITIONS = (
    (r"pass@\d+", "Share of items for which at least one of k samples makes a program that passes "
     "the item’s tests; the unbiased estimate of Chen et al. 2021 over all samples that were drawn."),
    (r"identifier_(em|exact_match|match)", "Share of items whose identifiers are the reference’s, in "
     "their order; all other tokens are left aside."),
    (r"identifier_f1", "Harmonic mean of precision and recall over the identifiers of the completion "
     "and of the reference."),
    (r"(exact_match|em|exact_.*)", "Share of items whose text is the reference, blanks as the "
     "suite’s protocol treats them."),
    (r"(edit_similarity|es|.*_edit_similarity)", "How much of two texts need not be typed again: 1 − "
     "d / (|a| + |b|), where d counts inserted and deleted characters; 100 % is the same text."),
    (r"(syntactic_match|syntax.*match)", "Share of items whose code has the reference’s syntax tree."),
    (r"token_accuracy", "Share of tokens that are predicted right, over all tokens that count."),
    (r"accuracy(@\d+)?", "Share of items whose first answer is the reference."),
    (r"mrr(@\d+)?|reciprocal_rank", "Mean of 1 / rank of the right answer among the first ten; 0 "
     "where it is not among them."),
    (r"rouge_?l.*", "ROUGE-L: F-measure of the longest common subsequence of tokens with the reference."),
    (r"meteor.*", "METEOR: matched words weighted to recall, with a penalty for a broken order."),
    (r"ended_by_model", "Share of middles that the model ended itself, with its end token, and not its "
     "token limit."),
    (r"ended_rightly", "Share of middles that the model ended itself and whose text is the reference."),
    (r"repeats_suffix", "Share of completions that end in, or go on with, what stands behind the "
     "cursor already; less is better."),
    (r"first_line.*", "The same, of the first line of both texts alone."),
    (r"chars?_saved|characters_saved", "Share of a file’s characters that accepted completions brought."),
    (r"keystrokes_saved", "Share of keystrokes saved against typing every character; below 0 where "
     "accepting and mending took more than it brought."),
    (r"without_model|.*served.*|.*typed_through.*", "Share of keystrokes that were answered "
     "without asking the model."),
    (r"bits_per_byte.*", "Negative log-likelihood in bits, over the UTF-8 bytes of the text; less is "
     "better, and it does not depend on the tokenizer."),
    (r"car|acceptance_rate", "Accepted suggestions over those shown for 750 ms or more."),
    (r"cpr.*|persistence.*", "Share of accepted text that is still there after the stated time, by "
     "longest common subsequence."),
    (r"recomputed.*", "Prompt tokens computed again, which the prefix cache did not have; less is better."),
)  # fmt: skip
"""Pattern of the names, and the sentence."""


def definition(metric: str) -> str:
    """Return what a metric is; of one that is not known here, where to read it."""
    for pattern, sentence in _DEFINITIONS:
        if re.fullmatch(pattern, metric):
            return sentence
    return "Defined by its suite."


def listed(metrics: Iterable[str]) -> Html:
    """Return the definitions of ``metrics``, in their order."""
    pairs = ((element("dt", named(m)), element("dd", definition(m))) for m in metrics)
    return element("dl", *(part for pair in pairs for part in pair))
