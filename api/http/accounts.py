"""Who has an account: for those who keep them, and for everybody about themselves."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.responses import Response

from api.http.context import Here, Id, Who
from api.http.reply import reply
from control_plane.accounts.desk import AccountView, KeyView
from domain.identity import EVERYWHERE, Role, Scope

router = APIRouter(tags=["accounts"])

_Name = Annotated[str, Field(min_length=1, max_length=128)]
_Text = Annotated[str, Field(max_length=128)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewAccount(_Request):
    """`person`: the human behind it, none for machines. `acts_for`: the id of the account on whose behalf it acts."""

    name: _Name
    roles: frozenset[Role] = Field(min_length=1, max_length=len(Role))
    person: _Text = ""
    tenant: _Text = ""
    scope: Scope = EVERYWHERE
    acts_for: _Text = ""


class NewKey(_Request):
    """`account`: id or name of a feed's account."""

    account: _Name
    label: _Text = ""
    days: int = Field(default=90, ge=1, le=366)


class NextKey(_Request):
    """How long the old key goes on beside the new one, and how long the new one holds."""

    overlap_hours: float = Field(default=24.0, ge=0, le=168)
    days: int = Field(default=90, ge=1, le=366)


class Proof(_Request):
    """One's own token, shown once more."""

    token: SecretStr = Field(max_length=256)


@router.get("/identity")
def whoami(who: Who) -> Response:
    """Show as whom one is known here, and for whom one acts."""
    shown = {"id": who.id, "name": who.name, "person": who.person, "roles": sorted(who.roles), "tenant": who.tenant}
    more = {"scope": who.scope, "acts_for": who.chain[1:], "authenticated_at": who.authenticated_at}
    return reply(shown | more)


@router.post("/identity/proof", status_code=201)
def prove(house: Here, who: Who, body: Proof) -> Response:
    """Exchange one's token for a proof of five minutes, which is sent in its place where a fresh one is asked for."""
    until, proof = house.desks.accounts.prove(who, body.token.get_secret_value())
    return reply({"token": proof, "expires_at": until}, 201)


@router.get("/accounts", response_model=list[AccountView])
def accounts(house: Here, who: Who) -> Response:
    """Show the accounts that one keeps."""
    return reply([row._asdict() for row in house.desks.accounts.accounts(who)])


@router.post("/accounts", status_code=201)
def add(house: Here, who: Who, body: NewAccount) -> Response:
    """Make an account. Its token is in the answer, and nowhere else ever again."""
    view, token = house.desks.accounts.add(
        who, body.name, body.roles, body.person, tenant=body.tenant, scope=body.scope, behind=body.acts_for
    )
    return reply({"account": view._asdict(), "token": token}, 201)


@router.post("/accounts/{id}/renew")
def renew(house: Here, who: Who, id: Id) -> Response:
    """End an account's token and make the next one."""
    view, token = house.desks.accounts.renew(who, id)
    return reply({"account": view._asdict(), "token": token})


@router.post("/accounts/{id}/revoke", response_model=AccountView)
def revoke(house: Here, who: Who, id: Id) -> Response:
    """End everything that an account can show."""
    return reply(house.desks.accounts.revoke(who, id)._asdict())


@router.get("/keys", response_model=list[KeyView])
def keys(house: Here, who: Who) -> Response:
    """Show the keys of feeds, without their secrets."""
    return reply([row._asdict() for row in house.desks.accounts.keys(who)])


@router.post("/keys", status_code=201)
def add_key(house: Here, who: Who, body: NewKey) -> Response:
    """Make a key for a feed. Its secret is in the answer, and nowhere else ever again."""
    view, secret = house.desks.accounts.add_key(who, body.account, body.label, timedelta(days=body.days))
    return reply({"key": view._asdict(), "secret": secret}, 201)


@router.post("/keys/{id}/rotate", status_code=201)
def rotate_key(house: Here, who: Who, id: Id, body: NextKey) -> Response:
    """Make the key that follows one; the old one goes on for a while."""
    overlap, holds = timedelta(hours=body.overlap_hours), timedelta(days=body.days)
    view, secret = house.desks.accounts.rotate_key(who, id, overlap, holds)
    return reply({"key": view._asdict(), "secret": secret}, 201)


@router.post("/keys/{id}/revoke", response_model=KeyView)
def revoke_key(house: Here, who: Who, id: Id) -> Response:
    """End a key at once."""
    return reply(house.desks.accounts.revoke_key(who, id)._asdict())
