"""Every record about an element or an incident says where its data belongs."""

from tests.stage import Stage, make_stage, ring


def regional(stage: Stage) -> None:
    stage.road.live.regions.update(dict.fromkeys(stage.road.live.regions, "north"))


def test_the_records_of_a_repair_bear_the_region_of_its_elements(clock) -> None:
    stage = make_stage(clock)
    regional(stage)

    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.recover()
    stage.settle()

    tagged = {record.kind: record.residency for record in stage.ledger.records()}
    about_accounts = {kind for kind in tagged if kind.startswith("identity.")}
    untagged = {kind for kind, region in tagged.items() if region != "north"}
    assert untagged <= about_accounts
    assert {"receive.alarms.kept", "correlate.incident.opened", "verify.incident.closed"} <= tagged.keys()
    assert {"receive.readings.kept", "plane.handoff.made"} <= tagged.keys()


def test_a_batch_of_two_regions_belongs_to_both(clock) -> None:
    stage = make_stage(clock)
    points = [point.id for point in ring().termination_points]
    stage.road.live.regions.update({points[0]: "south", points[1]: "north"})

    assert stage.road.live.residency(points[:2]) == "north+south"
    assert stage.road.live.residency(()) == "default"
