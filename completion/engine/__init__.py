"""Engines: what runs the model. ``base`` is the interface, ``vllm`` the real one, ``fake`` for tests.

An engine knows token ids; it knows no document, template or stop rule.
"""
