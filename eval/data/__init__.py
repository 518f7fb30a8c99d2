"""The public data sets: named once in ``registry.toml``, found, checked, read.

No data lies here and nothing here knows a metric or an engine.
"""
