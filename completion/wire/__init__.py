"""The wire contract: messages and stubs generated from ``proto/completion.proto``.

``python -m completion.wire.generate`` writes ``completion_pb2*``; a test and CI fail when they
drift from the contract. Nothing here decides anything.
"""
