"""The only room that speaks Cedar: it reads rules, and answers questions by them."""

from policies.engine.book import NOBODY, Book
from policies.engine.plans import judge_plan, signatures_needed
from policies.reading import BOOK, SCHEMA

__all__ = ["BOOK", "NOBODY", "SCHEMA", "Book", "judge_plan", "signatures_needed"]
