"""Placing ordered circuits: the best way for each, within bounds that hold in the normal state and after a failure."""
