"""The configuration of routers as words: what an engineer types, one record per section of the text form.

Routers are named by their node id and interfaces by their termination point id, so alarms, changes and configurations
speak of the same things. An interface that is no termination point is a loopback (`lo…`), faces customers (`lan…`), or
is a unit of another (`<termination point>.100`). Addresses are IPv4. The text form is in `twin.configuration.reading`.
"""

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from domain.base import Word

#: A network that stands for every address.
ANY = "any"


def _address(text: str) -> str:
    return str(IPv4Address(text))


def _interface_address(text: str) -> str:
    if "/" not in text:
        raise ValueError(f"`{text}` has no prefix length; write it like `10.0.0.1/31`")
    return str(IPv4Interface(text))


def _prefix(text: str) -> str:
    if "/" not in text:
        raise ValueError(f"`{text}` has no prefix length; write it like `10.0.0.0/24`")
    return str(IPv4Network(text))


def _prefix_or_any(text: str) -> str:
    return text if text == ANY else _prefix(text)


def _no_keyword(text: str) -> str:
    if text == "backup":
        raise ValueError("`backup` is no name of a link; write one link or more on each side of it")
    return text


Address = Annotated[str, AfterValidator(_address)]
InterfaceAddress = Annotated[str, AfterValidator(_interface_address)]
Prefix = Annotated[str, AfterValidator(_prefix)]
PrefixOrAny = Annotated[str, AfterValidator(_prefix_or_any)]
Name = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=200)]
#: `backup` is a word of the text form.
LinkName = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=200), AfterValidator(_no_keyword)]
OptionalName = Annotated[str, Field(pattern=r"^[!-~]*$", max_length=200)]
Text = Annotated[str, Field(pattern=r"^([!-~]+( [!-~]+)*)?$", max_length=500)]


class Duplex(StrEnum):
    FULL = "full"
    HALF = "half"
    AUTO = "auto"


class IgpProtocol(StrEnum):
    OSPF = "ospf"
    ISIS = "isis"


class AccessVerdict(StrEnum):
    PERMIT = "permit"
    DENY = "deny"


class Transport(StrEnum):
    IP = "ip"  # any of them
    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"


class Igp(Word):
    """The interior gateway protocol on one interface; a passive one is announced and makes no neighbours.

    `authentication` names a key; empty is none. `metric` is the cost of leaving by the interface.
    """

    protocol: IgpProtocol = IgpProtocol.OSPF
    area: int = Field(default=0, ge=0, lt=2**32)
    metric: int = Field(default=10, ge=1, le=65535)
    authentication: OptionalName = ""
    passive: bool = False


class Interface(Word):
    """`mtu` in bytes; `vlan` None is untagged; `access_in` and `access_out` name access lists.

    The word `anycast` in the descriptions of loopbacks says that they share an address on purpose.
    """

    name: Name
    description: Text = ""
    address: InterfaceAddress | None = None
    mtu: int = Field(default=1500, ge=576, le=9216)
    vlan: int | None = Field(default=None, ge=1, le=4094)
    duplex: Duplex = Duplex.FULL
    enabled: bool = True
    igp: Igp | None = None
    access_in: OptionalName = ""
    access_out: OptionalName = ""


class BgpSession(Word):
    """A BGP session with the router that has the address `peer`; ours is the address of the interface `source`."""

    peer: Address
    remote_as: int = Field(ge=1, lt=2**32)
    source: Name
    authentication: OptionalName = ""
    enabled: bool = True


class AccessEntry(Word):
    """One line of an access list; `port` is the destination port of TCP or UDP."""

    sequence: int = Field(ge=1, le=2**31)
    verdict: AccessVerdict
    transport: Transport = Transport.IP
    source: PrefixOrAny = ANY
    destination: PrefixOrAny = ANY
    port: int | None = Field(default=None, ge=0, le=65535)

    @model_validator(mode="after")
    def _port_of_a_transport_that_has_some(self) -> Self:
        if self.port is not None and self.transport not in {Transport.TCP, Transport.UDP}:
            raise ValueError(f"`{self.transport}` has no ports; write `tcp` or `udp`, or leave the port out")
        return self


class AccessList(Word):
    """The first entry that matches decides; what none matches is denied. Entries ascend by sequence."""

    name: Name
    entries: tuple[AccessEntry, ...] = ()


class StaticRoute(Word):
    """`via` None drops. With `announced`, the router announces the prefix to all others through the IGP."""

    prefix: Prefix
    via: Address | None = None
    announced: bool = False


class SegmentPolicy(Word):
    """A segment routing policy (RFC 9256): traffic of a colour to the loopback `endpoint` goes through `via`."""

    name: Name
    color: int = Field(ge=1, lt=2**32)
    endpoint: Address
    via: tuple[Address, ...] = ()


class Protection(Word):
    """Two ways from this router to another, as links of the inventory in order; they should share no fate."""

    name: Name
    primary: tuple[LinkName, ...] = Field(min_length=1)
    backup: tuple[LinkName, ...] = Field(min_length=1)


class RouterConfiguration(Word):
    """All of one router. Within each kind of section, names (peers, prefixes) are unique."""

    router: Name
    description: Text = ""
    local_as: int | None = Field(default=None, ge=1, lt=2**32)
    interfaces: tuple[Interface, ...] = ()
    sessions: tuple[BgpSession, ...] = ()
    access_lists: tuple[AccessList, ...] = ()
    routes: tuple[StaticRoute, ...] = ()
    policies: tuple[SegmentPolicy, ...] = ()
    protections: tuple[Protection, ...] = ()


class Configuration(Word):
    """All routers of a network, in the order in which the text lists them."""

    routers: tuple[RouterConfiguration, ...] = ()


class FindingSeverity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class ConfigurationLine(Word):
    """One line of the text form, as a finding shows it. `number` counts from 1."""

    router: str
    number: int
    text: str


class ConfigurationFinding(Word):
    """What a check found: `subject` says where without values, so that a trouble keeps its name as lines move.

    `new`: the configuration in force does not have it. `blocks`: it is an error, and new or in a part that is touched.
    """

    id: str
    severity: FindingSeverity
    subject: str
    message: str
    remedy: str
    lines: tuple[ConfigurationLine, ...] = ()
    new: bool = True
    blocks: bool = False


class ProtectedFlow(Word):
    """Traffic that must get through every access list on its way; `forbidden`: that some list on it must keep out."""

    name: str
    source: Address
    destination: Address
    transport: Transport = Transport.IP
    port: int | None = Field(default=None, ge=0, le=65535)
    forbidden: bool = False


class PushPolicy(Word):
    """What a push may touch and must keep.

    Attributes:
        max_routers: routers whose configuration changes in more than descriptions.
        max_demand_share: share of the believed traffic (Mbit/s) whose paths meet a touched router or link.
        max_utilisation: of the busiest link after any one failure, of a link or of all that share a risk; above it only
            what was there already passes.
        flows: protected beside the sessions themselves.
    """

    max_routers: int = Field(default=10, ge=1)
    max_demand_share: float = Field(default=1.0, ge=0, le=1)
    max_utilisation: float = Field(default=1.0, gt=0)
    flows: tuple[ProtectedFlow, ...] = ()


class PushReport(Word):
    """The answer before a push: findings, the worst first, and the order in which the routers may be pushed.

    `order` is empty when nothing changes and None when no order is safe, none was found among the states looked at, or
    none was searched for because more routers change than the policy allows.
    """

    findings: tuple[ConfigurationFinding, ...] = ()
    order: tuple[str, ...] | None = ()
    diff: str = ""

    @property
    def blocks(self) -> bool:
        return any(finding.blocks for finding in self.findings)
