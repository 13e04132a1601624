"""Three ways from `a` to `c`, with metrics 20 (by `b`), 40 (by `d`) and 60 (by `e`), and a configuration of it.

Routers `a` to `e` have the loopbacks 10.255.0.1 to .5 and the customer networks 172.16.0.0/24 to 172.16.4.0/24; link
`l<n>` is 10.0.0.<2n>/31, from its first router to its second one. `a` and `c` have a session with everyone.
"""

from tests.twin.small_networks import network
from twin.configuration import generate, write

THETA = network(
    [
        ("a", "b", 10, 1000.0),
        ("b", "c", 10, 1000.0),
        ("a", "d", 20, 1000.0),
        ("d", "c", 20, 1000.0),
        ("a", "e", 30, 400.0),
        ("e", "c", 30, 400.0),
    ],
    [("a", "c", 600.0)],
)
TEXT = write(generate(THETA))
LINKS = {"l0": "ab", "l1": "bc", "l2": "ad", "l3": "dc", "l4": "ae", "l5": "ec"}

#: A router, the lines to replace (within a section that begins with the first one), and what stands there instead.
Edit = tuple[str, str, str]


def edited(text: str, *edits: Edit) -> str:
    """Return a text with lines replaced; `old` is `section > line`, a line, or empty to add at the router's end."""
    for router, old, new in edits:
        begin = text.index(f"router {router}\n")
        end = text.find("\nrouter ", begin) + 1 or len(text)
        part = text[begin:end]
        section, _, line = old.rpartition(" > ")
        if not old:
            part += new + "\n"
        else:
            at = part.index(f"{line}\n", part.index(section))
            part = part[:at] + part[at:].replace(f"{line}\n", f"{new}\n" if new else "", 1)
        text = text[:begin] + part + text[end:]
    return text


def both_ends(link: str, old: str, new: str) -> tuple[Edit, Edit]:
    """Return the edits that replace a line at both ends of a link."""
    first, second = LINKS[link]
    return (first, f"interface {link}.a > {old}", new), (second, f"interface {link}.b > {old}", new)
