"""Whether a suggestion is offered at all: one question a file, pure, asked before anything is sent.

Two kinds: gates of manners, which keep quiet what nobody asked for, and gates that protect, which
hold also when the user asks. No document, no LSP type and no I/O here: a
:class:`~lsp.gates.moment.Moment` says what was the case.
"""
