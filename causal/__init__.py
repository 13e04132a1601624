"""From symptoms to causes: candidates, a topology-aware scorer, attribution by structural causal models, fusion.

The room sees domain words, plain networkx graphs (edges point from cause to effect) and dicts; it knows neither
the twin nor telemetry. `agents.diagnostics` introduces them to each other. The order of reading is `topology`,
`symptoms`, `candidates` (with `signatures` and `expectation`), `scoring`, `fusion`, then `attribution` with `cut`.
"""
