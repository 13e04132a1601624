"""Models from cradle to grave: how often they err, whether another one errs less, and what that calls for.

Verdicts only. A model slot changes nowhere but through the control plane's executor.
"""
