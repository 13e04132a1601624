"""The words that every other room speaks in.

Pure records and rules: pydantic, canonical JSON and the standard library, no input or output.
Each module holds one family of words; the table of all of them is in `docs/words.md`.
"""
