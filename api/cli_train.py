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
    train.command("blast")(blast)
    train.command("steering")(steering)
    app.add_typer(train, name="train", rich_help_panel="Models")


def _only_groups() -> None:
    """Keep `train NAME` two words."""


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


def blast(
    quick: Annotated[bool, typer.Option("--quick", help="A few networks, to try the way; needs --out.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write here, not to what ships.", metavar="FILE")] = None,
    data: Annotated[Path | None, typer.Option(help="A folder for what it writes meanwhile.", metavar="DIR")] = None,
    as_json: AsJson = False,
) -> None:
    """Learn from faults of emulated networks by how much predicted blast radii are off, per class of action.

    A whole house repairs what breaks on networks that are set aside for this, and the plants say what really suffered.
    The calibration takes the place of the one that ships with the twin, or is written to --out. About a quarter of an
    hour on two cores.
    """
    from importlib.metadata import entry_points

    from domain.errors import BadInput, NotFound
    from twin.blast import calibration as shipped

    if quick and out is None:
        raise BadInput("what is learnt in a hurry must not ship; name a file with --out")
    file = out or Path(shipped.__file__).with_name("calibration.json")
    _require_room(file.parent)
    found = entry_points(group="nocturne.trainings", name="blast")
    if not found:
        raise NotFound("the campaigns that this is learnt from are not installed; run `pip install -e .` once more")
    with _progress(quiet=as_json) as progress:
        learnt = next(iter(found)).load()(quick=quick, data=data, progress=progress)
    file.write_text(learnt.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if as_json:
        write_json({"card": learnt.card, "file": str(file)})
        return
    cases = ", ".join(f"{name} {count}" for name, count in learnt.card["cases"].items())
    note(f"learnt from {cases}; written to {file}")


def steering(
    seed: Annotated[int, typer.Option(help="The same seed gives the same learner.", min=0)] = 1,
    sketch: Annotated[bool, typer.Option("--sketch", help="A learner of a few seconds, to see how it goes.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write card and tensors here.", metavar="DIR")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Train the learner of the training ground on generated failures and surges, and measure it beside greedy.

    Some minutes on one core. The card says whether the promotion rule holds on networks that the learner never saw;
    it steers nothing either way. What comes out is written to trained/VERSION in the data folder, or to --out.
    """
    from api.settings import load
    from domain.clock import SystemClock
    from twin.ground.making import EACH, make

    recipe = "sketch" if sketch else "full"
    folder = out or load(data=data).data / "trained" / f"mv_steering{'sketch' if sketch else ''}{seed}"
    _require_room(folder)
    with _progress(quiet=as_json) as progress:
        card, artefact = make(recipe, seed, SystemClock(), progress, each=1 if sketch else EACH)
    _write(folder, card, artefact)
    if as_json:
        write_json({"card": card.model_dump(mode="json"), "folder": str(folder)})
        return
    show(_steering_figures(card))
    note(f"written to {folder}; it steers nothing: `nocturne twin steer` shows the learner that came with the house")


def _steering_figures(card: "ModelCard") -> "RenderableType":
    """Return how full each way to play leaves the fullest link over the optimum, and what the rule says."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    found = card.metrics
    title = f"{card.version}: fullest link over the optimum, {found['cases']:.0f} cases, unseen networks and hours"
    table = Table(title=title, title_justify="left")
    table.add_column("steering")
    table.add_column("ratio", justify="right")
    for name, key in (("learner", ""), ("greedy", "_greedy"), ("random", "_random"), ("nothing", "_nothing")):
        table.add_row(name, f"{found[f'ratio_to_lp{key}']:.3f}")
    word = "promoted" if found["promoted"] else "not promoted"
    gain = f"{found['gain']:+.2%} ({found['gain_low']:+.2%} to {found['gain_high']:+.2%})"
    return Group(table, Text(f"{word}: gain over greedy {gain}, {found['violations']:.0f} violations"))


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
