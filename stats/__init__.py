"""Numbers that several rooms share: robust scores today, more as rooms need them. numpy and scipy only, no state."""
