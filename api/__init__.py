"""The doors: HTTP and the command line, and the one place (`bootstrap.py`) that introduces every room to the others.

A door translates to `control_plane.commands` and `control_plane.queries` and does nothing else, so that
all doors show the same refusals.
"""
