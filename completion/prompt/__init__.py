"""From a document, snippets and a budget to token ids, for each family of models.

Templates say where sentinels stand, the budget is applied to tokens before them, and text from a
file can never become a sentinel. Nothing here runs a model.
"""
