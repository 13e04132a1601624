"""What if this fails? Tens of thousands of such questions a second, each answered exactly.

Read `base.py` first: `prepare(network)` works the present state out once, and `sweep.py` asks it about many failures.
`chains.py` says why large access networks cost little, `repair.py` what one failure costs.
"""
