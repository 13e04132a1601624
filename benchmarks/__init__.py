"""Figures, each beside a baseline that ran in the same call. The command line finds them by entry point."""
