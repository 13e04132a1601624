"""The TM Forum doors: alarms (TMF642) under both of their paths, tickets (TMF621), and Alertmanager beside them."""

import pytest

from api.http.tmf import show_alarm

ALARMS = "/tmf-api/alarmManagement/v4/alarm"
TICKETS = "/tmf-api/troubleTicket/v4/troubleTicket"


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


@pytest.mark.parametrize("path", [ALARMS, "/tmf-api/alarm/v4/alarm"])
def test_an_alarm_that_is_sent_is_answered_with_its_place_and_representation(client, house, path):
    answer = client("feed").post(path, json={"alarmType": "communicationsAlarm"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == answer.json()["href"] == f"{path}/alm_001"
    assert house.commands.calls[0][2] == ("tmf642", {"alarmType": "communicationsAlarm"})


def test_the_representation_speaks_tmf642(client):
    shown = client().get(f"{ALARMS}/alm_001").json()
    assert shown == {
        "id": "alm_001",
        "href": f"{ALARMS}/alm_001",
        "externalAlarmId": "x1",
        "alarmType": "communicationsAlarm",
        "perceivedSeverity": "minor",
        "probableCause": "link_down",
        "alarmedObject": {"id": "tp:1"},
        "sourceSystemId": "emulated:alarms-1",
        "state": "raised",
        "ackState": "unacknowledged",
        "alarmRaisedTime": "2026-01-12T12:00:00Z",
        "alarmChangedTime": "2026-01-12T12:00:00Z",
        "alarmReportingTime": "2026-01-12T12:00:00Z",
        "alarmDetails": "IF_DOWN \x1b[31m [bold]<script>",
        "@type": "Alarm",
    }


def test_a_source_is_shown_as_it_named_itself(words):
    assert show_alarm(words.make_alarm(1, source="tmf642:ems-1"), "")["sourceSystemId"] == "ems-1"


def test_a_cleared_alarm_has_the_severity_cleared(client):
    shown = client().get(f"{ALARMS}/alm_008").json()
    assert (shown["state"], shown["perceivedSeverity"]) == ("cleared", "cleared")


def test_a_rejected_alarm_is_400_with_the_rule_it_broke(client):
    answer = client("feed").post(ALARMS, json={"bad": True})
    assert answer.status_code == 400
    assert answer.json() == {"code": "alarm.resource.unknown", "reason": "element `x` is not in the inventory"}


def test_an_alarm_that_came_too_late_is_202(client):
    answer = client("feed").post(ALARMS, json={"late": True})
    assert (answer.status_code, answer.json()["late"]) == (202, 1)


def test_alertmanager_gets_200_and_a_receipt_even_for_bad_content(client):
    answer = client("feed").post("/webhooks/alertmanager", json={"alerts": [], "bad": True})
    assert (answer.status_code, answer.json()["rejected"]) == (200, 1)


def test_pages_put_together_are_the_whole_set(client):
    door = client()
    pages = [door.get(ALARMS, params={"offset": offset, "limit": 3}) for offset in range(0, 12, 3)]
    assert [page.headers["X-Result-Count"] for page in pages] == ["3", "3", "3", "1"]
    assert {page.headers["X-Total-Count"] for page in pages} == {"10"}
    assert [id for page in pages for id in ids(page)] == [f"alm_{n:03d}" for n in range(1, 11)]


@pytest.mark.parametrize(
    "query",
    ["offset=-1", "limit=-1", "limit=null", "offset=", "limit=1e9", "offset=99999999999", "limit=١", "limit=1.5"],
)
def test_impossible_pages_are_400(client, query):
    answer = client().get(f"{ALARMS}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")


def test_a_huge_limit_gives_the_largest_page(client, house):
    client().get(ALARMS, params={"limit": 10**9})
    assert house.queries.calls[0][3]["limit"] == 1000


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=cleared", [8, 9, 10]),
        ("perceivedSeverity=minor", [1, 3, 5, 7]),
        ("perceivedSeverity=minor&state=cleared", []),
        ("perceivedSeverity=minor,cleared", [1, 3, 5, 7, 8, 9, 10]),
        ("perceivedSeverity=minor&perceivedSeverity=cleared", [1, 3, 5, 7, 8, 9, 10]),
        ("alarmedObject.id=tp:2,tp:4", [2, 4]),
        ("alarmedObject.id=tp:2&perceivedSeverity=minor", []),
        ("alarmedObject.id=tp:2&perceivedSeverity=major", [2]),
        ("sourceSystemId=nobody", []),
        ("state=raised&offset=5", [6, 7]),
    ],
)
def test_filters_return_every_matching_row_and_no_other(client, query, expected):
    answer = client().get(f"{ALARMS}?{query}")
    assert ids(answer) == [f"alm_{n:03d}" for n in expected]


def test_the_total_of_a_filtered_list_counts_the_matching_rows(client):
    answer = client().get(ALARMS, params={"state": "raised", "limit": 2})
    assert (answer.headers["X-Total-Count"], answer.headers["X-Result-Count"]) == ("7", "2")


@pytest.mark.parametrize(
    "query",
    ["colour=red", "alarmRaisedTime.gt=2026", "sort=id", "state.x=1", "fields=nope", "fields=state.x", "fields="],
)
def test_what_is_not_understood_is_400_and_names_what_would_be(client, query):
    answer = client().get(f"{ALARMS}?{query}")
    assert answer.status_code == 400
    assert "perceivedSeverity" in answer.json()["reason"]


def test_fields_chooses_attributes_and_keeps_id_and_href(client):
    rows = client().get(ALARMS, params={"fields": "perceivedSeverity,state", "limit": 1}).json()
    assert set(rows[0]) == {"id", "href", "perceivedSeverity", "state"}


def test_fields_chooses_within_an_attribute(client):
    shown = client().get(f"{TICKETS}/tic_001", params={"fields": "relatedEntity.id,relatedEntity.role"}).json()
    assert shown == {
        "id": "tic_001",
        "href": f"{TICKETS}/tic_001",
        "relatedEntity": [{"id": "inc_01abcdef", "role": "incident"}],
    }


def test_tickets_are_listed_filtered_and_shown(client):
    door = client()
    assert ids(door.get(TICKETS, params={"status": "closed"})) == ["tic_004"]
    shown = door.get(f"{TICKETS}/tic_001").json()
    assert (shown["status"], shown["ticketType"], shown["@type"]) == ("acknowledged", "incident", "TroubleTicket")


@pytest.mark.parametrize("path", [f"{ALARMS}/none", f"{TICKETS}/none", f"{ALARMS}/{'x' * 200}"])
def test_an_unknown_id_is_404_with_the_error_body(client, path):
    answer = client().get(path)
    assert (answer.status_code, set(answer.json())) == (404, {"code", "reason"})


def test_an_empty_list_is_an_empty_array(client, house):
    house.queries.answers["tickets"] = ([], 0)
    answer = client().get(TICKETS)
    assert (answer.json(), answer.headers["X-Total-Count"]) == ([], "0")
