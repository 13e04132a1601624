"""Reading the chains of approval from their files, and refusing what could not be meant."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.canonical import digest
from domain.errors import BadInput
from policies.chain import RULES, person_key
from policies.question import Question
from policies.stages import Chain

FOLDER = Path(__file__).parent / "chains"
_LONGEST = 100_000


class Chains:
    """All chains of the house, read once. Which chain a plan has is a pure function of its questions."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Take the chains as file name → text; the order of the names is the order in which they are tried.

        Raises:
            BadInput: a text does not parse, has an unknown key or an impossible count; two chains share an id; the
                last chain is not the one that takes the rest, or another one is. Names the file and the place.
        """
        self.all: tuple[Chain, ...] = tuple(_read(name, texts[name]) for name in sorted(texts))
        self.texts = dict(texts)
        _in_order(sorted(texts), self.all)
        self.version = digest({"rules": RULES, "chains": self.texts})

    @classmethod
    def load(cls, folder: Path | None = None) -> "Chains":
        """Read the `*.toml` files of a folder (default: the chains of this package).

        Raises:
            BadInput: the folder cannot be read, or a chain is refused (see `Chains`).
        """
        place = folder or FOLDER
        if not place.is_dir():
            raise BadInput(f"there is no folder of approval chains at `{place}`; name a folder with `.toml` files")
        try:
            texts = {path.name: path.read_text("utf-8") for path in place.glob("*.toml")}
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"the approval chains at `{place}` cannot be read: {error}; mend or name another") from error
        return cls(texts)

    def of(self, steps: Sequence[Question]) -> Chain:
        """Return the chain of a plan, by the questions about its steps."""
        return next(chain for chain in self.all if chain.takes(steps))


def _read(name: str, text: str) -> Chain:
    if len(text) > _LONGEST:
        raise BadInput(f"`{name}`: a chain has at most {_LONGEST} characters; this is something else")
    try:
        found: Any = tomllib.loads(text)
        chain = Chain.model_validate(found)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"`{name}` is no TOML: {error}; mend the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"`{name}`: {_place(first['loc'])}: {first['msg'].lower()}; mend the chain") from error
    for number, stage in enumerate(chain.stages, 1):
        distinct = {person_key(one) for one in stage.of}
        if stage.of and (len(distinct) < stage.count or "" in distinct or len(distinct) < len(stage.of)):
            raise BadInput(
                f"`{name}`: stage {number} (`{stage.id}`) asks for {stage.count} of {len(distinct)} different people; "
                "name each once, and as many as must sign"
            )
    ids = [stage.id for stage in chain.stages]
    if twice := next((id for id in ids if ids.count(id) > 1), None):
        raise BadInput(f"`{name}`: two stages are called `{twice}`; give each an id of its own")
    return chain


def _in_order(names: Sequence[str], chains: Sequence[Chain]) -> None:
    if not chains:
        raise BadInput("there is no approval chain at all; nobody could ever sign: write one without `when`")
    seen: dict[str, str] = {}
    for name, chain in zip(names, chains, strict=True):
        if chain.id in seen:
            raise BadInput(f"`{name}`: the chain id `{chain.id}` is that of `{seen[chain.id]}`, too; choose another")
        seen[chain.id] = name
    for name, chain in zip(names[:-1], chains[:-1], strict=True):
        if not chain.when:
            raise BadInput(f"`{name}` takes every plan, so what comes after it is never asked; give it a `when`")
    if chains[-1].when:
        raise BadInput(
            f"`{names[-1]}` is the last chain and has a `when`; other plans would have none: write one without"
        )


def _place(where: Sequence[int | str]) -> str:
    """Return the place of an error as a reader of the file counts: from one."""
    parts = [str(part + 1) if isinstance(part, int) else f"`{part}`" for part in where]
    return " ".join(parts) or "the file"
