"""Text from outside, made safe to show: quoted, and without anything that a terminal would obey."""

_MOST = 300


def plain(text: object, most: int = _MOST) -> str:
    """Return `text` with control, format and direction characters written out, cut to `most` characters."""
    shown = "".join(
        character if character.isprintable() else _escaped(character) for character in str(text)[: most + 1]
    )
    return shown if len(str(text)) <= most else shown[: most - 1] + "…"


def quoted(text: object, most: int = _MOST) -> str:
    """Return `text` as a quotation: what somebody else said, not we."""
    return f"“{plain(text, most)}”"


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
