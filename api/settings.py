"""Every setting of the house, in one place. Each has a default that works and a variable `NOCTURNE_<NAME>`.

Nothing but settings differs between the embedded default and a larger installation.
"""

import ipaddress
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.identity.trust import Trust
from domain.errors import BadInput

_NETWORK = re.compile(r"generated:\d{1,6}|topohub:[\w./-]{1,200}|lab:\w{1,40}|file:.{1,4096}", re.DOTALL)


class Settings(BaseSettings):
    """Durations are seconds of the house's clock."""

    model_config = SettingsConfigDict(
        env_prefix="NOCTURNE_", env_nested_delimiter="__", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    data: Path = Field(default=Path("var"), description="folder of the database, the checkpoints and the identities")
    database: str = Field(
        default="",
        repr=False,  # it may hold a password
        description="`postgresql://user@host:5432/name`; empty: a file in the data folder",
    )
    checkpoints: str = Field(
        default="",
        repr=False,
        description="second place for signed checkpoints of the record: a folder on another disk or host, or the "
        "address of another database; empty: a folder beside the store, which whoever alters the one can alter, too",
    )
    checkpoint_records: int = Field(default=1000, ge=1, description="records after which a chain is signed again")
    checkpoint_s: float = Field(default=60.0, gt=0, description="after which a chain that has grown is signed again")
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    identity: Literal["local", "oidc"] = Field(default="local", description="who vouches for accounts")
    oidc: Trust | None = Field(
        default=None,
        repr=False,  # it may hold a secret
        description="what is believed of an identity provider: JSON, or one variable each, as `NOCTURNE_OIDC__ISSUER`",
    )
    recheck_from: int = Field(
        default=2, ge=1, le=10, description="needed signatures from which each signer is looked up again, at the source"
    )
    failed_logins: int = Field(
        default=20, ge=1, le=10_000, description="tries with a wrong token that one address has within a minute"
    )

    network: str = Field(
        default="generated:200",
        description="`generated:ELEMENTS`, `topohub:REFERENCE` (for example `topohub:topozoo/Abilene`), `file:PATH`; "
        "or `lab:smoke`, real routers on this machine (`serve` only)",
    )
    network_url: str = Field(default="", description="where the network itself listens; empty: there is none to act on")
    seed: int = Field(default=1, ge=0, description="of the generated network and of the emulated one")
    sampling_period_s: float = Field(default=0.5, gt=0, le=3600, description="between two readings of one element")

    alarm_lateness_s: float = Field(default=86_400.0, ge=0, description="how late an alarm may come and still count")
    reading_lateness_s: float = Field(default=60.0, ge=0, description="how late a reading may come and still count")
    settle_s: float = Field(
        default=2.0, ge=0, description="quiet after the last alarm that ends a provisional diagnosis"
    )
    verify_s: float = Field(default=12.0, gt=0, description="within which a repair must have shown its effect")
    crew_s: float = Field(default=21_600.0, gt=0, description="within which a repair by a crew must have shown it")
    train_s: float = Field(default=900.0, gt=0, description="within which a model must be trained")
    model_run_length: float = Field(
        default=1000.0, ge=20, description="outcomes between two false alarms about a model that is well, on average"
    )
    proposal_s: float = Field(default=1800.0, gt=0, description="for which a proposal waits for people")
    warn_share: float = Field(
        default=0.2, ge=0, le=1, description="of the time in which people decide that is left when they are warned"
    )
    fresh_s: float = Field(
        default=300.0, gt=0, description="within which a person who breaks the glass must have proved who it is"
    )
    measurement_age_s: float = Field(default=900.0, gt=0, description="how old a reading may be under a waiting plan")
    budget_window_s: float = Field(default=3600.0, gt=0, description="over which the use of each requester is counted")
    plans_most: int = Field(default=500, ge=0, description="plans of one requester in that time")
    steps_most: int = Field(default=2000, ge=0, description="steps of one requester in that time")
    spend_most_eur: float = Field(default=10_000.0, ge=0, description="euros of one requester in that time")
    plan_steps_most: int = Field(default=64, ge=1, le=64, description="steps of the longest plan that is taken")
    drafts_most: int = Field(default=12, ge=1, description="plans of one agent for one incident in that time")
    breaker_of: int = Field(default=5, ge=1, description="last outcomes of a kind of action that a breaker looks at")
    breaker_failures: int = Field(default=3, ge=1, description="bad ones among them that open it")
    breaker_rest_s: float = Field(default=900.0, gt=0, description="after which an open breaker lets one plan try")
    flaps_most: int = Field(default=3, ge=1, description="times that a value may be set back and forth in that time")
    grant_s: float = Field(default=600.0, gt=0, description="for which a grant to execute holds")
    escalate_share: float = Field(
        default=0.25, gt=0, le=1, description="of the time of a matter, after which the next people are asked"
    )
    roster_ahead_s: float = Field(default=86_400.0, ge=0, description="how far ahead a gap in the roster is looked for")
    seeded_share: float = Field(
        default=0.0, ge=0, le=0.5, description="of proposals that bring a card that tests attention; 0: never"
    )
    miss_limit: float = Field(
        default=0.1, gt=0, lt=1, description="share of such cards that a person may miss before a second one must sign"
    )
    batch_most: int = Field(default=10, ge=1, le=100, description="harmless proposals that can be approved at once")
    order_full: float = Field(default=0.8, gt=0, le=1, description="no link is filled further by an ordered circuit")
    order_full_failed: float = Field(
        default=0.95, gt=0, le=1, description="nor, by a protected one, when any one link fails"
    )

    policies: str = Field(
        default="", max_length=4096, description="folder of the policy book; empty: the book that ships"
    )
    max_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1024, description="largest request body")
    max_depth: int = Field(default=64, ge=1, le=500, description="deepest nesting of a JSON body")
    max_items: int = Field(default=10_000, ge=1, description="longest list in a JSON body")
    body_timeout_s: float = Field(default=10.0, gt=0, description="within which a request body must have arrived")
    open_docs: bool = Field(default=False, description="show /docs without a token")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("database")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if value and "://" not in value:
            raise ValueError("the database is no address: write `postgresql://user@host:5432/name`, or leave it empty")
        return value

    @field_validator("network")
    @classmethod
    def _known_form(cls, value: str) -> str:
        if not _NETWORK.fullmatch(value):
            raise ValueError(
                f"network `{value[:80]}` is of no known form: write `generated:200`, "
                "`topohub:topozoo/Abilene`, `lab:smoke` or `file:PATH`"
            )
        return value

    @model_validator(mode="after")
    def _local_issuer_stays_at_home(self) -> Self:
        if self.identity == "local" and not is_loopback(self.host):
            raise ValueError(
                f"the local issuer serves this machine only, and `{self.host}` is not a loopback address: "
                "use 127.0.0.1, ::1 or localhost"
            )
        return self

    @model_validator(mode="after")
    def _a_provider_is_described(self) -> Self:
        if (self.identity == "oidc") != (self.oidc is not None):
            raise ValueError(
                "an identity provider needs both settings: NOCTURNE_IDENTITY=oidc, and NOCTURNE_OIDC for what is "
                "believed of it (docs/identity.md)"
            )
        return self

    @property
    def url(self) -> str:
        """Where clients of this machine reach the server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Say whether what listens on `host` can be reached from this machine only; names but localhost cannot tell."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(**given: Any) -> Settings:
    """Return the settings from the environment; what is given and not None wins.

    Raises:
        BadInput: a setting is impossible; the reason names it.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise BadInput(f"setting `{name}`: {reason}" if name else reason, code="bad_setting") from None
