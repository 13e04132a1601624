"""Reading a policy book from a folder: only its rules, and never more than a book can hold."""

from collections.abc import Mapping
from pathlib import Path

from domain.errors import BadInput

#: The book that ships, and the name of its schema.
BOOK = Path(__file__).parent / "book"
SCHEMA = "schema.cedarschema"

_FILES_MOST, _BYTES_MOST = 200, 1_000_000


def read_texts(folder: Path) -> dict[str, str]:
    """Return the `*.cedar` files of a folder as file name → text.

    Raises:
        BadInput: there is no such folder, it cannot be read, it holds no rules or more than a book can.
    """
    return read_files(folder, "*.cedar", "policy book")


def read_files(folder: Path, pattern: str, what: str) -> dict[str, str]:
    """Return the files of a folder whose names fit, as name → text. Raises BadInput (see `read_texts`)."""
    if not folder.is_dir():
        raise BadInput(f"there is no {what} at `{folder}`; name a folder with `{pattern}` files")
    try:
        files = sorted(path for path in folder.glob(pattern) if path.is_file())
        check_size(what, len(files), sum(path.stat().st_size for path in files))
        texts = {path.name: path.read_text("utf-8") for path in files}
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the {what} at `{folder}` cannot be read: {error}; mend or name another") from error
    if not texts:
        raise BadInput(f"the {what} at `{folder}` is empty; name a folder with `{pattern}` files")
    return texts


def check_texts(texts: Mapping[str, str]) -> None:
    """Check a book that did not come from a folder. Raises BadInput: it is empty, too large or oddly named."""
    if not texts:
        raise BadInput("this policy book is empty; send at least one `.cedar` file")
    check_size("policy book", len(texts), sum(len(text.encode("utf-8", "replace")) for text in texts.values()))
    for name in texts:
        if not name.endswith(".cedar") or "/" in name or not name.isprintable() or len(name) > 120:
            raise BadInput(f"`{name[:120]!r}` is no name of a file of rules; name it for example `10_who.cedar`")


def check_size(what: str, files: int, size: int) -> None:
    """Raise BadInput when so many files of so many bytes together are more than a book can hold."""
    if files > _FILES_MOST or size > _BYTES_MOST:
        raise BadInput(
            f"the {what} has {files} files of {size} bytes; it may have {_FILES_MOST} of {_BYTES_MOST} bytes together"
        )
