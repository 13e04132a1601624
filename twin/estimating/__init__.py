"""What flows from where to where, worked out from counters: gravity, routing matrix, tomogravity, fitting of totals.

Start with `twin.estimating.matrix.estimate`.
"""
