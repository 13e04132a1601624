"""Capacity planning in the twin: what loads will be, what could be built, and what that is worth in sampled futures."""
