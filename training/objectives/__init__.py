"""Training objectives, one a file: each turns documents into token ids, or adds a loss.

Pure functions of a document and a random generator. Nothing here reads files, knows rows or
batches, or keeps state between documents.
"""
