"""The one road from a signal to a verified action. Start with `flow.py`."""
