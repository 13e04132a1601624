"""What we believe the network to be: its inventory, its state, and what follows from a change.

Read `evaluate.py` first: one pure function answers every what-if. The rest feeds it or asks it.
"""
