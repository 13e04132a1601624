"""What holds the plane back: switches, budgets, breakers, flapping, collisions, and facts that grow old."""
