"""The training ground: a seeded, isolated place in the twin where a learner may try to steer, and be measured.

Read `episode.py` first: a failure or a surge, the moves that the twin offers and the shield lets through, and what a
move is worth. `environment.py` is the same as a gymnasium environment, `scenarios.py` draws what happens and where,
`scorer.py` is the learner being asked (numpy), `training.py` how it learns (torch), `promotion.py` the rule by which it
might one day leave the shadow, `shadow.py` what it would do beside the house's own search.
"""
