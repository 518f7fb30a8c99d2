"""Recipes, one TOML file a run: every value that decides the weights.

No code, no paths and no machine's names; ``training.recipe`` says what each value means.
"""
