"""Commands for those who keep accounts and the keys of feeds. A secret is written once, to standard output alone."""

from typing import Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Data, Url, client, write_json

_KEEPER = "admin"

Name = Annotated[str, typer.Argument(help="The id or the name of an account.")]
Key = Annotated[str, typer.Argument(help="A key's id.")]
Days = Annotated[int, typer.Option(help="For how long it holds.", min=1, max=366)]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    accounts = typer.Typer(help="See who has an account; make, renew or end one.", no_args_is_help=True)
    accounts.command("list")(list_accounts)
    accounts.command("add")(add)
    accounts.command("renew")(renew)
    accounts.command("revoke")(revoke)
    app.add_typer(accounts, name="accounts", rich_help_panel="Accounts")
    keys = typer.Typer(help="See the keys of feeds; make, rotate or end one.", no_args_is_help=True)
    keys.command("list")(list_keys)
    keys.command("add")(add_key)
    keys.command("rotate")(rotate_key)
    keys.command("revoke")(revoke_key)
    app.add_typer(keys, name="keys", rich_help_panel="Accounts")


def list_accounts(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """List the accounts that you keep."""
    rows = client(as_, url, data, _KEEPER).get("/accounts")
    if as_json:
        write_json(rows)
        return
    for row in rows:
        person = f"  {row['person']}" if row["person"] else ""
        ended = f"  ended {row['ended_at']}" if row["ended_at"] else ""
        _say(f"{row['id']}  {row['name']}  {', '.join(row['roles'])}  {row['tenant']}{person}{ended}")


def add(
    name: Annotated[str, typer.Argument(help="What it is called in the record.")],
    role: Annotated[list[str], typer.Option(help="A role that it has (repeat it).")],
    person: Annotated[str, typer.Option(help="The human behind it; none, for a machine.")] = "",
    tenant: Annotated[str, typer.Option(help="Whose it is (yours, unless said otherwise).")] = "",
    region: Annotated[list[str] | None, typer.Option(help="A region that it is limited to (repeat it).")] = None,
    domain: Annotated[list[str] | None, typer.Option(help="A domain that it is limited to (repeat it).")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="A device class that it is limited to (repeat it).")] = None,
    acts_for: Annotated[str, typer.Option(help="The id of the account on whose behalf it acts.")] = "",
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make an account and write its token, which cannot be had a second time."""
    limits = {"regions": region, "domains": domain, "kinds": kind}
    body: dict[str, Any] = {"name": name, "roles": role, "person": person, "tenant": tenant, "acts_for": acts_for}
    body |= {"scope": {field: values for field, values in limits.items() if values}}
    _hand_over(client(as_, url, data, _KEEPER).post("/accounts", body), "account", "token", as_json)


def renew(id: Name, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """End an account's token and write the next one."""
    made = client(as_, url, data, _KEEPER).post(f"/accounts/{_quoted(id)}/renew", {})
    _hand_over(made, "account", "token", as_json)


def revoke(id: Name, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """End an account: its token, keys and proofs are refused from now on."""
    row = client(as_, url, data, _KEEPER).post(f"/accounts/{_quoted(id)}/revoke", {})
    _tell(row, f"{row['id']}  {row['name']}  ended {row['ended_at']}", as_json)


def list_keys(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """List the keys of feeds that you keep, without their secrets."""
    rows = client(as_, url, data, _KEEPER).get("/keys")
    if as_json:
        write_json(rows)
        return
    for row in rows:
        until = f"ended {row['revoked_at']}" if row["revoked_at"] else f"holds until {row['expires_at']}"
        _say(f"{row['id']}  {row['account']}  {row['label']}  {until}  last used {row['last_used_at'] or 'never'}")


def add_key(
    account: Name,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Days = 90,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a feed's account and write it; it cannot be had a second time."""
    body = {"account": account, "label": label, "days": days}
    _hand_over(client(as_, url, data, _KEEPER).post("/keys", body), "key", "secret", as_json)


def rotate_key(
    key: Key,
    overlap_hours: Annotated[float, typer.Option(help="How long the old one goes on.", min=0, max=168)] = 24.0,
    days: Days = 90,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make the key that follows one, and write it; the old one goes on for a while."""
    body = {"overlap_hours": overlap_hours, "days": days}
    made = client(as_, url, data, _KEEPER).post(f"/keys/{_quoted(key)}/rotate", body)
    _hand_over(made, "key", "secret", as_json)


def revoke_key(key: Key, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """End a key at once."""
    row = client(as_, url, data, _KEEPER).post(f"/keys/{_quoted(key)}/revoke", {})
    _tell(row, f"{row['id']}  ended {row['revoked_at']}", as_json)


def _hand_over(made: dict[str, Any], what: str, secret: str, as_json: bool) -> None:
    """Write a secret alone on standard output, so that it can be led into a file, and what it is on standard error."""
    if as_json:
        write_json(made)
        return
    from api.cli_shared import note
    from api.views.text import plain

    row = made[what]
    note(plain(f"{what} {row['id']}: this is the only time that you see its secret"))
    typer.echo(made[secret] or "the identity provider gives its tokens: log in there")


def _tell(row: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        write_json(row)
    else:
        _say(text)


def _say(text: str) -> None:
    from api.views.text import plain

    typer.echo(plain(text))


def _quoted(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")
