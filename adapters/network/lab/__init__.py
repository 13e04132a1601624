"""A real network, in the small: FRR routers in network namespaces of this machine, for as long as somebody wants it.

Nothing here is emulated: the kernel forwards, OSPF is FRR's, capacity is a token bucket on each interface, and the
traffic is packets. What the house sees of it is `adapters.network.routers`.

- `plan` says what a lab consists of; `namespaces` makes the wires and `daemons` the routers.
- `traffic` sends the demands' packets; it runs as a program of its own in a namespace.
- `ownership` says whose a lab is, and clears away what a crash left behind: its own, never another's.
- `launcher` starts a lab and ends it, and is the hand that makes a mistake in it.
"""
