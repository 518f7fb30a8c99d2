"""A run's life: where it starts, what it keeps and takes up again, what it says, when it stops.

Lives here: files of a run and what is read of them. The arithmetic of an update does not.
"""
