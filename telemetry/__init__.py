"""Signals in: what arrives is checked, put into our words, deduplicated, windowed, remembered and correlated.

`intake` is the door of the room: raw JSON becomes words, or is rejected with the rule that it broke, or is set
aside as late; `received == kept + late + rejected`, always. `dedup` folds reports into alarms, `correlate`
groups alarms into troubles, `windows` and `history` keep readings. Nothing here reads a clock or touches a store.
"""
