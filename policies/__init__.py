"""Who may do what, and when a person must say yes.

`book/` holds the rules (Cedar, one idea per file), `question.py` what they are asked, `engine.py` how they
answer, `chain.py` who may sign, `calendar.py` when nothing may change.
"""
