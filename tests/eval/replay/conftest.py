"""The service whose requests a test reads, as the language server's tests have it."""

from tests.lsp.conftest import service

__all__ = ["service"]
