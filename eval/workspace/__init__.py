"""What of a project's other files comes with an item: which files, how they reach the server, and when.

What the server makes of them is not known here; nor what an item asks.
"""
