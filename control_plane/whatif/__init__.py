"""Asking the twin: what it believes, and what would follow if something were different. Nothing here acts."""
