"""The commands of ``caret`` that belong to the service, one a file: arguments in, text out."""
