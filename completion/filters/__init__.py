"""What is done to a candidate after the model: one filter a file, each with a golden file.

Pure functions over bytes. A filter trims, replaces or declines; it never asks the model.
"""
