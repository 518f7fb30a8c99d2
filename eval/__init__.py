"""Measurement: what is held out of training, suites, metrics, execution, reports, speed.

It asks the service as any client does and never reaches into `lsp` or `training`. The way of one
run: a suite's items → an engine's answers → programs run where the suite runs code → scores of
each item → metrics with intervals → a result file, which `compare` and `report` read.
"""
