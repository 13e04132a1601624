"""What the plant has said, kept for whoever asks: items under rising positions, already as JSON text.

Readings are bulky and soon stale, so they are forgotten first; alarms and notices stay much longer.
"""

import heapq
import json
from bisect import bisect_right
from typing import Any


def text_of(item: dict[str, Any]) -> str:
    """Return an item as compact JSON."""
    return json.dumps(item, separators=(",", ":"))


class _Kept:
    """Texts under rising positions, at most so many and so large in all."""

    def __init__(self, most_items: int, most_chars: int) -> None:
        self._most_items, self._most_chars = most_items, most_chars
        self._positions: list[int] = []
        self._texts: list[str] = []
        self._chars = 0

    def add(self, position: int, text: str) -> None:
        self._positions.append(position)
        self._texts.append(text)
        self._chars += len(text)
        if len(self._texts) > self._most_items or self._chars > self._most_chars:
            forgotten = len(self._texts) // 8 + 1
            self._chars -= sum(map(len, self._texts[:forgotten]))
            del self._positions[:forgotten], self._texts[:forgotten]

    def after(self, position: int, most: int) -> list[tuple[int, str]]:
        start = bisect_right(self._positions, position)
        return list(zip(self._positions[start : start + most], self._texts[start : start + most], strict=True))


class Buffer:
    """The feed's memory. Positions start at 1 and are never used twice."""

    def __init__(self, most_items: int = 200_000, most_chars: int = 96_000_000) -> None:
        self._readings = _Kept(most_items, most_chars)
        self._others = _Kept(most_items, most_chars)
        self.position = 0

    def add(self, item: dict[str, Any]) -> None:
        """Keep an item under the next position."""
        self.position += 1
        kept = self._readings if item.get("type") == "readings" else self._others
        kept.add(self.position, text_of(item))

    def after(self, position: int, most: int = 512, most_chars: int = 4_000_000) -> tuple[list[str], int]:
        """Return items behind a position, in order, and the position of the last one.

        A page ends after `most` items, or with the item that fills it to `most_chars`.
        """
        texts: list[str] = []
        chars = 0
        for at, text in heapq.merge(self._readings.after(position, most), self._others.after(position, most)):
            if len(texts) == most or chars >= most_chars:
                break
            texts.append(text)
            chars, position = chars + len(text), at
        return texts, position
