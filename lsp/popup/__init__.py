"""The editor's list of names: found by static analysis, ranked by the model, in time or without it.

What a name is and how names are ranked is pure; asking jedi, reading scopes and asking the service
are a file each. Nothing here knows of ghost text, and nothing waits for it.
"""
