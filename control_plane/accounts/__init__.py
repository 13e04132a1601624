"""Accounts: who has one, who gives what to whom, and whether an account still holds when it signs."""
