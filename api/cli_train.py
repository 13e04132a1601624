"""`nocturne train`: makes a model on this machine, without a server. It puts nothing into service: the road does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_shared import AsJson, Data, Network, note, show, write_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from adapters.models.training import Progress
    from domain.models import ModelCard


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    train = typer.Typer(help="Train a model and write it to a folder.", no_args_is_help=True)
    train.callback()(_only_groups)
    train.command("diagnosis")(diagnosis)
    app.add_typer(train, name="train", rich_help_panel="Models")


def _only_groups() -> None:
    """Keep `train diagnosis` two words while there is one model to train."""


def diagnosis(
    quick: Annotated[bool, typer.Option("--quick", help="Half a minute on one core, instead of some minutes.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.", min=0)] = 1,
    network: Network = None,
    out: Annotated[Path | None, typer.Option(help="Write card and tensors here.", metavar="DIR")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Train the ranker of candidate causes on generated incidents, and measure it beside its baselines.

    With --network, incidents of that network are among what it learns from and what it is measured on. What comes out
    is written to trained/VERSION in the data folder, or to --out; no server serves it for that.
    """
    from adapters.models.training import RankerTrainer
    from api.networks import inventory_of
    from api.settings import load
    from domain.actions import TrainModel
    from domain.models import DIAGNOSIS_SLOT
    from twin.snapshot import Snapshot

    inventory = inventory_of(network, seed) if network else None
    recipe = "quick" if quick else "full"
    of = Snapshot.of(inventory).topology.digest[:12] if inventory else ""
    version = f"mv_{recipe}{seed}{of}"
    folder = out or load(data=data).data / "trained" / version
    _require_room(folder)
    action = TrainModel(target=DIAGNOSIS_SLOT, version=version, recipe=recipe, seed=seed)
    with _progress(quiet=as_json) as progress:
        trainer = RankerTrainer(inventory, progress=progress)
        card, artefact = trainer.train(action)
        blind = trainer.blind(action)
    _write(folder, card, artefact)
    if as_json:
        write_json({"card": card.model_dump(mode="json"), "without_topology": dict(blind), "folder": str(folder)})
        return
    show(_figures(card, blind))
    note(f"written to {folder}; it serves nowhere: a version is put into service by a proposal and an approval")


def _require_room(folder: Path) -> None:
    """Find out before the training whether its result can be written. Raises BadInput when it cannot."""
    from domain.errors import BadInput

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".room").touch()
        (folder / ".room").unlink()
    except OSError as error:
        raise BadInput(f"nothing can be written to `{folder}`: {error.strerror}; name another with --out") from error


def _write(folder: Path, card: "ModelCard", artefact: bytes) -> None:
    from adapters.models.keeping import ARTEFACT, CARD

    (folder / ARTEFACT).write_bytes(artefact)
    (folder / CARD).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")


@contextmanager
def _progress(*, quiet: bool) -> Iterator["Progress"]:
    """Show a bar on standard error for each thing that is done, unless it is to be quiet."""
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True, quiet=quiet)) as bars:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield tell


def _figures(card: "ModelCard", blind: Mapping[str, float]) -> "RenderableType":
    """Return the held-out figures beside the baselines', on the same cases."""
    from rich.table import Table

    title = f"{card.version}: wrong on {card.metrics['cases']:.0f} cases of networks that it never saw"
    if "network at hand" in card.trained_on:
        title = f"{card.version}: wrong on {card.metrics['cases']:.0f} cases that it never saw"
    table = Table(title=title, title_justify="left")
    for name in ("ranking", "first is wrong", "not among three"):
        table.add_column(name, justify="left" if name == "ranking" else "right")
    table.add_row("this version", f"{card.metrics['error']:.1%}", f"{card.metrics['error_top3']:.1%}")
    table.add_row("the same without topology", f"{blind['error']:.1%}", f"{blind['error_top3']:.1%}")
    table.add_row("highest anomaly", f"{card.metrics['error_highest_anomaly']:.1%}", "")
    return table
