"""Deciding again: what a result was made from is pinned, and from that alone it can be made once more."""
