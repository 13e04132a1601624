"""Texts that every database keeps, sorts and compares alike: by code point, with every character there is.

PostgreSQL keeps no NUL character. There, NUL and the character after it become two characters each, so that nothing
else is ever mistaken for them and the order stays: U+0000 is U+0001 U+0001, and U+0001 is U+0001 U+0002.
"""

from typing import Any

import sqlalchemy as sa


class Exact(sa.types.TypeDecorator[str]):
    """The column type of ids and of texts that are searched or sorted."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Text(collation="C" if dialect.name == "postgresql" else None)

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return value if value is None or dialect.name != "postgresql" else without_nul(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return value if value is None or dialect.name != "postgresql" else with_nul(value)


def without_nul(text: str) -> str:
    """Return a text without NUL that sorts as `text` does among others so written."""
    if "\0" not in text and "\1" not in text:
        return text
    return text.replace("\1", "\1\2").replace("\0", "\1\1")


def with_nul(text: str) -> str:
    """Return what `without_nul` was given."""
    return text if "\1" not in text else text.replace("\1\1", "\0").replace("\1\2", "\1")
