"""Python source by package: where it comes from, what is kept of it, and how it is stored.

Lives here: sources, licences, filters, deduplication, decontamination, shards. Nothing here
executes what it reads, knows of tokens beyond a count, or decides how examples are made.
"""
