"""Scores of one item, and figures over items: one metric a module, named for it.

Pure functions of texts, tokens and events. They know no suite, no engine and no file of results.
"""
