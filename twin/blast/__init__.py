"""The blast radius of a plan: the twin's own spans, and what calibration on held-out cases makes of them."""
