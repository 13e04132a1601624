"""Commands that run the product here: the server, and the demo."""

from typing import Annotated

import typer

from api.cli_shared import AsJson, Data, Network, Seed, note, quiet_logs, show, write_json


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("serve", rich_help_panel="Run")(serve)
    app.command("demo", rich_help_panel="Run")(demo)


def serve(
    demo: Annotated[bool, typer.Option("--demo", help="Emulate a network, and let something go wrong in it.")] = False,
    network: Network = None,
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    seed: Seed = None,
) -> None:
    """Serve the API until Ctrl-C."""
    from api.settings import load

    settings = load(network=network, data=data, host=host, port=port, seed=seed)
    from api.serve import serve as serve_until_stopped

    serve_until_stopped(settings, demo=demo)


def demo(
    network: Network = None,
    seed: Seed = None,
    story: Annotated[str, typer.Option(help="honest, lying, self-healing, any; or model.")] = "any",
    as_json: AsJson = False,
) -> None:
    """Play one incident to its end, unattended: from the first alarm to the verified record."""
    quiet_logs()
    say = note if as_json else typer.echo

    def tell(step: str, text: str) -> None:
        say(_told(step, text))

    number = 1 if seed is None else seed
    if story == "model":
        from api.demo_model import run as run_model

        report = run_model(network=network, seed=number, tell=tell)
    else:
        from api.demo import run

        report = run(network=network, seed=number, story=story, tell=tell)
    if as_json:
        write_json(report)
    else:
        from api.views import reports

        show(reports.model_story(report) if story == "model" else reports.story(report))
    ended = story != "model" or report["outcome"] == "restored"
    if not report["audit"]["verified"] or not ended:
        raise typer.Exit(1)


def _told(step: str, text: str) -> str:
    from api.views.text import plain

    return f"{plain(step):<12} {plain(text)}"
