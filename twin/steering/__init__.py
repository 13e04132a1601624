"""Steering near the optimum: few SR-policy moves that bring the worst link utilisation down.

Read `plan.py` first: `steering_plan(snapshot)` says how full the fullest link is now, how full it would be after a few
moves, and how full any routing whatever would leave it. `optimum.py` has that bound, `program.py` the linear programs,
`rounding.py` makes moves and shares of them, `greedy.py` has the instant ones, `failures.py` what is left of it when a
link fails.
"""
