"""The SQL store. `ledger.py` is the authority; `schema.py` says what the tables look like."""
