"""The gRPC service: requests checked, admitted, completed, measured.

``app`` is the process, ``service`` the handlers, ``completer`` the way from a request to ranked
candidates. Text of users is never logged, stored or exported here.
"""
