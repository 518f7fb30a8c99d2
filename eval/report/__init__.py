"""One HTML file out of results: readable anywhere, nothing fetched, the same for the same input.

Results are read and checked in `loading`, named and grouped in `runs`; each section of the page
is a file of pure functions; markup is made in `markup` alone, where everything is escaped.
"""
