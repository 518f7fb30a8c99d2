"""ROUGE-L and METEOR against the libraries that publish them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.meteor_score import single_meteor_score
from rouge_score import rouge_scorer

from eval.metrics.meteor import meteor
from eval.metrics.rouge_l import rouge_l

TOKENS = st.lists(st.sampled_from(["(", ")", "x", "X", "self", ".", "=", "0"]), max_size=12)


class _Identity:
    def stem(self, word: str) -> str:
        return word


class _NoWordnet:
    def synsets(self, word: str) -> list:
        return []


class _Split:
    def tokenize(self, text: str) -> list[str]:
        return text.split()


@settings(deadline=None)
@given(TOKENS, TOKENS)
def test_meteor_is_nltks_without_stems_synonyms_and_lower_case(candidate, reference):
    published = single_meteor_score(
        reference,
        candidate,
        preprocess=lambda word: word,
        stemmer=_Identity(),
        wordnet=_NoWordnet(),
    )
    assert meteor(candidate, reference) == pytest.approx(published, abs=1e-12)


@settings(deadline=None)
@given(TOKENS, TOKENS)
def test_rouge_l_is_the_packages(candidate, reference):
    scorer = rouge_scorer.RougeScorer(["rougeL"], tokenizer=_Split())
    published = scorer.score(" ".join(reference), " ".join(candidate))["rougeL"].fmeasure
    assert rouge_l(candidate, reference) == pytest.approx(published, abs=1e-12)


def test_a_perfect_candidate_scores_1_in_rouge_and_short_of_it_in_meteor():
    tokens = ["x", ".", "append", "("]
    assert rouge_l(tokens, tokens) == 1
    assert meteor(tokens, tokens) == pytest.approx(1 - 0.5 / 4**3)
    assert meteor(["x"], ["x"]) == 0.5


def test_order_counts_in_both():
    assert rouge_l(["b", "a"], ["a", "b"]) == 0.5
    assert meteor(["b", "a"], ["a", "b"]) == pytest.approx(0.5)
    assert meteor(["a", "b"], ["a", "b"]) > 0.9


def test_recall_weighs_more_than_precision_in_meteor():
    long, short = ["a", "b", "c", "d"], ["a", "b"]
    assert meteor(long, short) > meteor(short, long)


@pytest.mark.parametrize(
    ("candidate", "reference"), [([], []), ([], ["x"]), (["x"], []), ("x", "y")]
)
def test_nothing_in_common_is_0(candidate, reference):
    assert rouge_l(candidate, reference) == 0
    assert meteor(candidate, reference) == 0


def test_tokens_are_compared_whole_whatever_characters_they_have():
    assert rouge_l(["ab", "c"], ["a", "bc"]) == 0
    assert rouge_l(["a b"], ["a", "b"]) == 0
    assert rouge_l(("𝔘", "\udc80"), ["𝔘", "\udc80"]) == 1
