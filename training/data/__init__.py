"""From documents to batches: what is read of one, examples of it, rows of fixed length.

Lives here: everything between the corpus and the model's input. The labels themselves are made by
``training.objectives``.
"""
