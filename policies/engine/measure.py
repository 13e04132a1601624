"""How deep and how long rules may be. It is measured before Cedar reads them.

Cedar's parser is recursive and native: a rule that nests too deeply ends the whole process, and no error can be caught.
So brackets are counted here, by the same letters that Cedar takes for comments and texts, and so are the parts of a
rule, because a long chain of operators nests as deeply as it is long.
"""

import re

from domain.errors import BadInput

#: Cedar overflows its stack between 400 and 2,000 brackets, and between 5,000 and 20,000 parts in a chain.
_DEEPEST, _LONGEST = 64, 1500
_RULES_MOST = 1000
_PART = re.compile(r'//[^\n\r]*|"(?:\\.|[^"\\])*"|\w+|\S')


def check_measure(name: str, text: str) -> int:
    """Return how many rules a file has.

    Raises:
        BadInput: a rule nests too deeply, or is too long.
    """
    depth = length = rules = 0
    for found in _PART.finditer(text):
        part = found[0]
        if part.startswith("//"):
            continue
        length += 1
        depth = max(0, depth + (part in "([{") - (part in ")]}"))
        if depth > _DEEPEST or length > _LONGEST:
            raise BadInput(f"`{name}` nests too deeply to be read; write its rules plainer")
        if part == ";":
            length, rules = 0, rules + 1
    return rules


def check_number(rules: int) -> None:
    """Raise BadInput when a book has more rules than anybody could answer for."""
    if rules > _RULES_MOST:
        raise BadInput(f"the policy book has {rules} rules, and at most {_RULES_MOST} are taken; write fewer")
