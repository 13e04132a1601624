"""One canonical model for every vendor and technology."""

import pytest

from domain.alarms import AlarmType, Severity, Technology
from telemetry.mappings import (
    VENDORS,
    from_name,
    from_vendor,
    label_severity,
    label_technology,
    standard_severity,
    vendor_severity,
)


@pytest.mark.parametrize(
    ("vendor", "name", "type", "technology"),
    [
        ("alba", "IF_DOWN", AlarmType.LINK_DOWN, Technology.IP),
        ("alba", "OSPF_NBR_DOWN", AlarmType.ADJACENCY_LOST, Technology.IP),
        ("borea", "LOS", AlarmType.LOSS_OF_SIGNAL, Technology.OPTICAL),
        ("borea", "RSL-LOW", AlarmType.LINK_DEGRADED, Technology.MICROWAVE),
        ("cygnus", "CELL_OOS", AlarmType.CELL_UNAVAILABLE, Technology.NR),
        ("cygnus", "EUTRAN_CELL_OOS", AlarmType.CELL_UNAVAILABLE, Technology.LTE),
        ("ember", "BCCH MISSING", AlarmType.CELL_UNAVAILABLE, Technology.GSM),
        ("delta", "MAINS-FAIL", AlarmType.POWER_LOST, Technology.POWER),
    ],
)
def test_vendors_words_become_ours(vendor: str, name: str, type: AlarmType, technology: Technology) -> None:
    assert from_vendor(vendor, name, "port 1") == (type, "port 1", technology)


def test_every_technology_has_a_vendor_that_speaks_it() -> None:
    spoken = {t for v in VENDORS.values() for t in (v.technology, *v.technologies.values())}
    assert spoken == set(Technology) - {Technology.UNKNOWN}


def test_every_vendor_has_four_severities() -> None:
    for vendor in VENDORS.values():
        assert list(vendor.severities.values()) == [Severity.CRITICAL, Severity.MAJOR, Severity.MINOR, Severity.WARNING]


def test_an_unknown_name_is_kept_as_the_qualifier() -> None:
    assert from_vendor("alba", "FAN_FAIL", "slot 3") == (AlarmType.OTHER, "FAN_FAIL/slot 3", Technology.IP)
    assert from_vendor("nobody", "FAN_FAIL") == (AlarmType.OTHER, "FAN_FAIL", Technology.UNKNOWN)


def test_a_long_unknown_name_still_fits_the_qualifier() -> None:
    assert len(from_vendor("nobody", "x" * 256, "y" * 256).qualifier) == 256


def test_an_invented_vendor_severity_is_indeterminate() -> None:
    assert vendor_severity("borea", "2") is Severity.MAJOR
    assert vendor_severity("borea", "0") is Severity.INDETERMINATE
    assert vendor_severity("nobody", "1") is Severity.INDETERMINATE


@pytest.mark.parametrize("name", ["LinkDown", "link_down", "LINK-DOWN", "linkFailure", "InterfaceDown"])
def test_a_link_that_is_down_is_known_by_many_names(name: str) -> None:
    assert from_name(name).type is AlarmType.LINK_DOWN


def test_probable_causes_of_x733_are_known() -> None:
    assert from_name("lossOfSignal").type is AlarmType.LOSS_OF_SIGNAL
    assert from_name("rectifierLowVoltage").type is AlarmType.ON_BATTERY
    assert from_name("fireDetected") == (AlarmType.OTHER, "fireDetected", Technology.UNKNOWN)


def test_label_severities_are_understood_or_indeterminate() -> None:
    assert [label_severity(s) for s in ("page", "Warning", "none", "")] == [
        Severity.CRITICAL,
        Severity.WARNING,
        Severity.INDETERMINATE,
        Severity.INDETERMINATE,
    ]


def test_standard_severities_are_exact_but_for_spelling() -> None:
    assert standard_severity("MAJOR") is Severity.MAJOR
    assert standard_severity("cleared") is None
    assert standard_severity("page") is None


def test_a_technology_label_is_understood_or_unknown() -> None:
    assert label_technology(" 5G ") is Technology.NR
    assert label_technology("carrier pigeon") is Technology.UNKNOWN
