"""The lexical rules of the languages: one record a language, one file a family.

Data only; what reads them is :mod:`completion.syntax.patterns` and the lexer.
"""

from completion.syntax.rules.python import PLAIN, PYTHON, PYTHON_KEYWORDS
from completion.syntax.rules.record import LexRules, Quote

__all__ = ["PLAIN", "PYTHON", "PYTHON_KEYWORDS", "LexRules", "Quote"]
