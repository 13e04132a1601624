"""Specialists: they read, reason and propose. They have no hands (no sockets, files or processes) and write no law."""
