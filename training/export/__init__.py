"""From a run to a model folder that other programs load, with its card and its measurements."""
