"""A model of the user's own project: the tokens of its files, and what followed where they matched.

It lives in the engine-core process, where the logits are. What is here knows token ids and names of
files; no text, no editor, and nothing of how the files got here.
"""
