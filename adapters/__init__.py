"""The outside world, each part behind a port of the room that needs it: stores, networks, tickets, identity."""
