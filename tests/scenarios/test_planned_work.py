"""Alarms that a declared piece of work predicts open no incident on a real plant; all others do."""

from datetime import timedelta

from domain.alarms import Alarm, AlarmType
from domain.diagnosis import FaultKind
from domain.planned_work import PlannedWork
from tests.scenarios.scene import Scene
from tests.stage import CULPRIT

OTHER_END = "tp:b-a"
EXPECTED = (AlarmType.ADJACENCY_LOST, AlarmType.CONFIGURATION_CHANGED, AlarmType.LINK_DOWN, AlarmType.LOSS_OF_SIGNAL)


def declare(scene: Scene, expected: tuple[AlarmType, ...] = EXPECTED) -> PlannedWork:
    """Declare work on the culprit, from a moment ago for an hour."""
    now = scene.house.clock.now()
    starts, ends = now - timedelta(seconds=5), now + timedelta(hours=1)
    commands = scene.house.commands
    return commands.declare_planned_work(scene.one, "CHG-7", [CULPRIT], [OTHER_END], expected, starts, ends)


def correlated(scene: Scene, resource: str) -> list[Alarm]:
    """Return the alarms of a resource that were looked at, if there are any."""
    found = scene.read(lambda tables: tables.alarms.find(resource=resource))
    return [alarm for alarm in found if alarm.correlated]


def test_alarms_that_planned_work_predicts_open_no_incident(scene: Scene) -> None:
    work = declare(scene)

    scene.umpire.inject(FaultKind.INTERFACE_LOCKED, CULPRIT)
    scene.until(lambda: correlated(scene, CULPRIT) and correlated(scene, OTHER_END))

    alarms = [*correlated(scene, CULPRIT), *correlated(scene, OTHER_END)]
    assert {alarm.planned_work_id for alarm in alarms} == {work.id}
    assert scene.incident() is None


def test_alarms_elsewhere_open_an_incident_during_planned_work(scene: Scene) -> None:
    declare(scene)
    scene.umpire.inject(FaultKind.INTERFACE_LOCKED, CULPRIT)

    scene.umpire.inject(FaultKind.INTERFACE_LOCKED, "tp:c-d")
    incidents = scene.until(lambda: scene.read(lambda tables: tables.incidents.find()))

    assert {element for incident in incidents for element in incident.elements} <= {"tp:c-d", "tp:d-c"}


def test_alarms_that_planned_work_does_not_predict_open_an_incident_on_the_same_element(scene: Scene) -> None:
    declare(scene, expected=(AlarmType.CONGESTION,))

    scene.umpire.inject(FaultKind.INTERFACE_LOCKED, CULPRIT)

    assert scene.until(scene.incident).open_alarms > 0
