"""Source code by package and by folder: where it comes from, what is kept, how it is stored.

Lives here: sources, licences, filters, deduplication, decontamination, shards. Nothing here
executes what it reads, knows of tokens beyond a count, or decides how examples are made.
"""
