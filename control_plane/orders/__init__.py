"""Service orders: a customer's wish walks the same road as a repair. `way.py` is the whole difference."""
