"""Configuration before it is pushed: read it, compare it, and find what would go wrong, step by step.

Read `checks.py` first: its table lists every check. `reading.py` documents the text form.
"""

from twin.configuration.checks import CHECKS, check
from twin.configuration.generating import generate
from twin.configuration.reading import Document, parse
from twin.configuration.writing import diff, document, write

__all__ = ["CHECKS", "Document", "check", "diff", "document", "generate", "parse", "write"]
