"""Typing a real file key by key, with a completion in reach at every key.

The typist and what is counted are pure; who suggests is behind one small interface: a language
server as an editor drives it, or any engine asked directly. It knows no suite.
"""
