"""Training objectives, one a file: each turns documents into token ids, or adds a loss.

A transform is a pure function of a document and a random generator; a light head is a module
beside its labels, which are one too. Nothing here reads files, knows rows or batches, or keeps
state between documents.
"""
