"""The feed's memory."""

import json

from adapters.network.emulated.feed import Buffer


def positions(buffer: Buffer, after: int = 0, most: int = 512) -> list[int]:
    return [json.loads(text)["n"] for text in buffer.after(after, most)[0]]


def test_items_come_in_order_whatever_their_kind():
    buffer = Buffer()
    for n in range(1, 7):
        buffer.add({"type": "readings" if n % 2 else "alarm", "n": n})

    assert positions(buffer) == [1, 2, 3, 4, 5, 6]
    assert positions(buffer, after=4) == [5, 6]


def test_a_page_ends_where_the_next_begins():
    buffer = Buffer()
    for n in range(1, 11):
        buffer.add({"type": "alarm", "n": n})

    texts, position = buffer.after(0, most=4)

    assert (len(texts), position) == (4, 4)
    assert positions(buffer, after=position, most=4) == [5, 6, 7, 8]
    assert buffer.after(10) == ([], 10)


def test_readings_are_forgotten_before_alarms():
    buffer = Buffer(most_items=16)
    buffer.add({"type": "alarm", "n": 1})
    for n in range(2, 200):
        buffer.add({"type": "readings", "n": n})

    kept = positions(buffer)

    assert kept[0] == 1
    assert kept[-1] == 199
    assert len(kept) <= 17
