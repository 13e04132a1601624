"""The laws behind `twin.evaluate`: elastic sharing, delay, radio, batteries, overload cascades.

`elastic`, `delay` and `radio` are functions of arrays, below `evaluate`, and are worked out when a prediction is asked
for them. `power` and `cascade` ask `evaluate` several times, so they stand above it.
"""
