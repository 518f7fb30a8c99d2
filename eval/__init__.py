"""Measurement: what is held out of training, suites, metrics, latency, reports.

It drives the service as any client does and never reaches into `lsp` or `training`.
"""
