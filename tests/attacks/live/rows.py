"""All rows that are played against a running server: importing this registers them."""

from tests.attacks.live import outside, signatures, strangers, words  # noqa: F401  # each registers its rows
from tests.attacks.live.book import ROWS

__all__ = ["ROWS"]
