"""Who is on call, who is told of what, what happens when nobody answers, and how attentive people can still be."""
