"""What tree-sitter and the lexer know of the text: languages, scopes, token types, names, boundaries.

Shared by the server, the language server, training and evaluation. Bytes in, byte offsets out;
no model, no tokens of a model, no I/O.
"""
