"""What people say at the gate: yes, no, something else, later, a question; for whom they say it, and what follows."""
