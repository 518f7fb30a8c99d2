"""Speed as ratios measured in one run, for ``caret bench``; one module a measurement."""
