"""What became of suggestions: told by the editor, measured in the document, kept on this machine.

No source text is kept or sent: ids, counts, lengths, language, scope, stop reason and times only.
:mod:`~lsp.feedback.feedback` takes notes, :mod:`~lsp.feedback.store` keeps them,
:mod:`~lsp.feedback.report` makes rates of them.
"""
