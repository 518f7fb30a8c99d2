"""Items made from any source tree: reading the tree, cutting it, keeping what was built in a file.

Pure but for reading the tree and the built file. No clock, no random state: equal trees give equal
items on every machine. It knows nothing of engines and metrics.
"""
