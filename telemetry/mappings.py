"""The vendors' words and ours: one canonical model for 2G, 4G, 5G, IP, optical, microwave and power.

A name that no table knows is no error: the alarm is kept as `other`, and the name becomes its qualifier, so
that two unknown alarms of one resource stay two. A severity that a *vendor* or a site's own labels invent is
kept as `indeterminate` (X.733: "the severity cannot be determined"): a renamed severity must not cost us the
alarm. Only where a standard fixes the list (TMF642) is an unknown one rejected, by the door.
"""

import re
from typing import NamedTuple

from domain.alarms import AlarmType, Severity, Technology
from domain.base import Word

_A = AlarmType
_S = Severity


class Vendor(Word):
    """How one vendor speaks. `technologies` names the alarms that tell more than the vendor's usual technology."""

    technology: Technology
    types: dict[str, AlarmType]
    severities: dict[str, Severity]
    technologies: dict[str, Technology] = {}


VENDORS: dict[str, Vendor] = {
    "alba": Vendor(
        technology=Technology.IP,
        types={
            "IF_DOWN": _A.LINK_DOWN,
            "IF_CRC_ERRORS": _A.LINK_DEGRADED,
            "IF_LOS": _A.LOSS_OF_SIGNAL,
            "OSPF_NBR_DOWN": _A.ADJACENCY_LOST,
            "NODE_UNREACH": _A.NODE_UNREACHABLE,
            "PROC_HUNG": _A.PROCESS_FAILED,
            "IF_OVERUTIL": _A.CONGESTION,
            "SLA_DELAY": _A.HIGH_DELAY,
            "CFG_CHANGE": _A.CONFIGURATION_CHANGED,
        },
        severities={"CRIT": _S.CRITICAL, "MAJ": _S.MAJOR, "MIN": _S.MINOR, "WARN": _S.WARNING},
    ),
    "borea": Vendor(
        technology=Technology.OPTICAL,
        types={
            "LNK-FAIL": _A.LINK_DOWN,
            "LNK-DEGR": _A.LINK_DEGRADED,
            "LOS": _A.LOSS_OF_SIGNAL,
            "NE-LOST": _A.NODE_UNREACHABLE,
            "CFG-CHG": _A.CONFIGURATION_CHANGED,
            "RSL-LOW": _A.LINK_DEGRADED,
            "RADIO-FAIL": _A.LINK_DOWN,
        },
        severities={"1": _S.CRITICAL, "2": _S.MAJOR, "3": _S.MINOR, "4": _S.WARNING},
        technologies={"RSL-LOW": Technology.MICROWAVE, "RADIO-FAIL": Technology.MICROWAVE},
    ),
    "cygnus": Vendor(
        technology=Technology.NR,
        types={
            "NE_NOT_REACHABLE": _A.NODE_UNREACHABLE,
            "SW_FAULT": _A.PROCESS_FAILED,
            "CELL_OOS": _A.CELL_UNAVAILABLE,
            "CELL_DEGR": _A.CELL_DEGRADED,
            "CM_CHANGE": _A.CONFIGURATION_CHANGED,
            "EUTRAN_CELL_OOS": _A.CELL_UNAVAILABLE,
            "EUTRAN_CELL_DEGR": _A.CELL_DEGRADED,
            "S1_LINK_DOWN": _A.LINK_DOWN,
        },
        severities={"critical": _S.CRITICAL, "major": _S.MAJOR, "minor": _S.MINOR, "warning": _S.WARNING},
        technologies=dict.fromkeys(("EUTRAN_CELL_OOS", "EUTRAN_CELL_DEGR", "S1_LINK_DOWN"), Technology.LTE),
    ),
    "delta": Vendor(
        technology=Technology.POWER,
        types={
            "SITE-LOST": _A.NODE_UNREACHABLE,
            "MAINS-FAIL": _A.POWER_LOST,
            "BATT-DISCH": _A.ON_BATTERY,
        },
        severities={"A1": _S.CRITICAL, "A2": _S.MAJOR, "A3": _S.MINOR, "A4": _S.WARNING},
    ),
    "ember": Vendor(
        technology=Technology.GSM,
        types={
            "ABIS FAIL": _A.LINK_DOWN,
            "BTS O&M LINK LOST": _A.NODE_UNREACHABLE,
            "BCCH MISSING": _A.CELL_UNAVAILABLE,
            "TRX FAULT": _A.CELL_DEGRADED,
        },
        severities={"***": _S.CRITICAL, "**": _S.MAJOR, "*": _S.MINOR, "": _S.WARNING},
    ),
    "frr": Vendor(
        technology=Technology.IP,
        types={
            "IF-DOWN": _A.LINK_DOWN,
            "IF-SHUT": _A.CONFIGURATION_CHANGED,
            "IF-OVERUTIL": _A.CONGESTION,
            "OSPF-NBR-DOWN": _A.ADJACENCY_LOST,
            "OSPFD-DOWN": _A.PROCESS_FAILED,
            "ROUTER-SILENT": _A.NODE_UNREACHABLE,
            "ANSWER-BROKEN": _A.OTHER,
        },
        severities={"crit": _S.CRITICAL, "err": _S.MAJOR, "warning": _S.MINOR, "notice": _S.WARNING},
    ),
}


class Translated(NamedTuple):
    """What an outside alarm is in our words."""

    type: AlarmType
    qualifier: str
    technology: Technology = Technology.UNKNOWN


def squashed(name: str) -> str:
    """Return the name without case and punctuation: `LinkDown`, `link_down` and `link-down` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def from_vendor(vendor: str, name: str, qualifier: str = "") -> Translated:
    """Translate a vendor's alarm name. An unknown vendor or name gives `other`, with the name as qualifier."""
    table = VENDORS.get(vendor)
    if table is None:
        return Translated(_A.OTHER, _qualified(name, qualifier))
    technology = table.technologies.get(name, table.technology)
    known = table.types.get(name)
    if known is None:
        return Translated(_A.OTHER, _qualified(name, qualifier), technology)
    return Translated(known, qualifier, technology)


def vendor_severity(vendor: str, severity: str) -> Severity:
    """Translate a vendor's severity; `indeterminate` for one that its table does not list."""
    table = VENDORS.get(vendor)
    return Severity.INDETERMINATE if table is None else table.severities.get(severity, Severity.INDETERMINATE)


#: Canonical names in any spelling, X.733 / M.3100 / 3GPP probable causes, and alert names that exporters ship.
_NAMES: dict[str, AlarmType] = {squashed(kind): kind for kind in AlarmType} | {
    squashed(name): kind
    for kind, names in {
        _A.LINK_DOWN: (
            *("transmitFailure", "receiveFailure", "communicationsSubsystemFailure", "linkFailure"),
            *("InterfaceDown", "IfDown", "PortDown", "InterfaceOperDown"),
        ),
        _A.LINK_DEGRADED: (
            *("degradedSignal", "framingError", "localNodeTransmissionError", "remoteNodeTransmissionError"),
            *("excessiveBER", "retransmissionRateExcessive", "InterfaceErrors", "HighErrorRate", "PacketErrors"),
        ),
        _A.LOSS_OF_SIGNAL: ("lossOfFrame", "lossOfPointer", "LOS"),
        _A.ADJACENCY_LOST: (
            *("communicationsProtocolError", "OspfNeighborDown", "IsisAdjacencyDown", "BgpSessionDown"),
            *("BgpPeerDown", "NeighborDown"),
        ),
        _A.NODE_UNREACHABLE: (
            *("neUnreachable", "underlyingResourceUnavailable", "InstanceDown", "TargetDown", "HostDown"),
            *("NodeDown", "DeviceUnreachable", "SnmpTargetDown"),
        ),
        _A.PROCESS_FAILED: (
            *("softwareError", "softwareProgramAbnormallyTerminated", "softwareProgramError"),
            *("applicationSubsystemFailure", "ProcessDown", "ServiceDown"),
        ),
        _A.CONGESTION: (
            *("queueSizeExceeded", "bandwidthReduced", "resourceAtOrNearingCapacity", "HighUtilization"),
            *("InterfaceSaturated", "LinkSaturated"),
        ),
        _A.HIGH_DELAY: ("responseTimeExcessive", "HighLatency", "LatencyHigh"),
        _A.POWER_LOST: ("powerProblem", "powerSupplyFailure", "commercialPowerFailure", "MainsFailure"),
        _A.ON_BATTERY: (
            *("batteryDischarging", "rectifierLowVoltage", "rectifierFailure", "lowBatteryThresholdCrossed"),
            *("UpsOnBattery",),
        ),
        _A.CELL_UNAVAILABLE: ("broadcastChannelFailure", "cellOutOfService", "CellDown"),
        _A.CELL_DEGRADED: ("lossOfRedundancy", "performanceDegraded", "CellSleeping"),
        _A.CONFIGURATION_CHANGED: ("configurationOrCustomizationError", "configurationOrCustomisationError"),
    }.items()
    for name in names
}

#: X.733 and 3GPP alarm types, as TMF642 lists them.
ALARM_CLASSES = frozenset(
    squashed(name)
    for name in (
        *("communicationsAlarm", "processingErrorAlarm", "environmentalAlarm", "qualityOfServiceAlarm"),
        *("equipmentAlarm", "integrityViolation", "operationalViolation", "physicalViolation"),
        *("securityServiceOrMechanismViolation", "securityService", "timeDomainViolation"),
    )
)

_SEVERITIES: dict[str, Severity] = {
    **{squashed(severity): severity for severity in Severity},
    **dict.fromkeys(("page", "emergency", "disaster", "fatal"), _S.CRITICAL),
    **dict.fromkeys(("high", "error"), _S.MAJOR),
    **dict.fromkeys(("medium", "average"), _S.MINOR),
    **dict.fromkeys(("low", "warn"), _S.WARNING),
}


def from_name(name: str, qualifier: str = "") -> Translated:
    """Translate a probable cause or an alert's name; `other`, with the name as qualifier, when nobody knows it."""
    known = _NAMES.get(squashed(name))
    if known is None:
        return Translated(_A.OTHER, _qualified(name, qualifier))
    return Translated(known, qualifier)


def label_severity(severity: str) -> Severity:
    """Translate the severity of a site's own labels; `indeterminate` when it is missing or unheard of."""
    return _SEVERITIES.get(squashed(severity), Severity.INDETERMINATE)


def standard_severity(severity: str) -> Severity | None:
    """Translate an X.733 perceived severity; None when the standard has no such one (`cleared` is none of these)."""
    wanted = squashed(severity)
    return next((known for known in Severity if squashed(known) == wanted), None)


def label_technology(technology: str) -> Technology:
    """Translate a technology label; `unknown` when it is missing or unheard of."""
    wanted = technology.strip().lower()
    return Technology(wanted) if wanted in set(Technology) else Technology.UNKNOWN


def _qualified(name: str, qualifier: str) -> str:
    """Join the two so that the qualifier of the identity (at most 256 characters) holds both."""
    return f"{name}/{qualifier}"[:256] if qualifier else name[:256]
