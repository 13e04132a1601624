"""Ways by which notices leave the house. What they carry is kept in the store already."""
