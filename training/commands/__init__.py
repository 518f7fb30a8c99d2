"""The training pipeline's commands, one a file; ``completion.cli`` loads them by name.

Arguments are checked and results printed here; the work is done by the modules above.
"""
