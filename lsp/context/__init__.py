"""What a request takes along of other files, and what may be read for that.

Gathered in the background; a keystroke takes what is ready. Nothing outside the workspace is read,
and every text passes the ignore rules and the search for secrets.
"""
