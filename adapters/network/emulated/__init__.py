"""The plant: a network that is really there, as far as the house can tell. It is not the twin.

The plant is a process of its own, with true demands, noise, burstiness, hash imbalance, faults and habits that
nobody is told. The house sees it through `client.EmulatedNetwork` and learns what a network would say: alarms in
vendors' words, counters, configuration notices, and the state of one element when it asks for it.

- `launcher` starts the process and ends it; `client` speaks to its front, `umpire` to its hidden side
  (demos, tests and benches only).
- `plant` is the process: it reads its arguments and serves. Nobody imports it. `server` is its HTTP front,
  `runtime` its heart: one lock, one loop.
- `world` is the true state and `physics` what traffic does in it; `habits` holds the hidden parameters drawn from
  the seed; `faults` says what can go wrong, `draws` picks a fault that can be seen, `devices` carries actions out,
  or only says so.
- `conditions` says which alarms the true state gives rise to, `announcer` how they reach an operator (late, twice,
  or not at all), `telemetry` what the counters show, `feed` keeps it for whoever asks.

Routing and availability are written here a second time on purpose: a mistake shared with the twin would be seen
by nobody, and the twin's equal split over equal paths cannot show an unequal hash.
"""
