"""The commands of ``caret`` that measure, one a file."""
