"""The record kept safe: checkpoints, verifying, proofs, redactions, what is behind an action, and exports."""
