"""Which network to run on: a specification in one word becomes an inventory."""

from pathlib import Path

from api.strict_json import read as read_json
from domain.errors import BadInput
from domain.network import Inventory
from twin.generator import operator_network
from twin.inventory import from_topohub, parse


def inventory_of(spec: str, seed: int) -> Inventory:
    """Return the inventory that a specification names.

    Args:
        spec: `generated:ELEMENTS`, `topohub:REFERENCE` (for example `topohub:topozoo/Abilene`) or `file:PATH`.
        seed: of what is drawn: the generated network, or demands and customers on a topohub topology.

    Raises:
        BadInput: the specification, the reference or the file is not one that can be read.
    """
    kind, _, rest = spec.partition(":")
    if kind == "generated" and rest.isdigit():
        return operator_network(seed, int(rest))
    if kind == "topohub" and rest:
        return from_topohub(rest, seed)
    if kind == "file" and rest:
        return parse(_read(Path(rest)))
    if kind == "lab" and rest:
        raise BadInput(f"`{spec[:80]}` is discovered when it runs: `nocturne serve --network {spec[:80]}`")
    raise BadInput(f"no network `{spec[:80]}`: write `generated:200`, `topohub:topozoo/Abilene` or `file:PATH`")


def _read(path: Path) -> object:
    try:
        return read_json(path.read_bytes())
    except OSError as error:
        raise BadInput(f"the file `{path}` cannot be read: {error.strerror}") from error
