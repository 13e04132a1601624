"""A plant and a server, each a process of its own on this machine's loopback, and the ways in which one knocks."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from adapters.network.emulated.launcher import RunningPlant, start_plant
from domain.network import Inventory
from twin.generator import operator_network
from twin.inventory import dump

ROOT = Path(__file__).parents[3]
PROGRAM = "import sys; sys.argv[0] = 'nocturne'; from api.cli import main; sys.exit(main())"
WEBHOOK = "/webhooks/alertmanager"
ALARMS = "/tmf-api/alarmManagement/v4/alarm"
#: How long a proposal waits: short, because one is seen to expire.
PROPOSAL_S = 90.0
GUESSES = 20
#: The interface of the generated network that is locked by mistake, again and again.
BREAKS = "tp:gw-0002.xe-0"

CAST = (
    ("viewer", ["viewer"], "the viewer"),
    ("duty", ["operator"], "the operator"),
    ("engineer", ["engineer"], "the engineer"),
    ("one", ["approver"], "the first approver"),
    ("one-again", ["approver", "operator"], " THE first  approver"),
    ("two", ["approver"], "the second approver"),
    ("manager", ["change_manager"], "the change manager"),
    ("auditor", ["auditor"], "the auditor"),
    ("feed", ["feed"], ""),
    ("robot", ["agent"], ""),
)


class Site:
    """A server under attack: where it is, whose tokens there are, and what is to be seen of it from outside."""

    def __init__(self, folder: Path, plant: RunningPlant, network: Path, inventory: Inventory) -> None:
        self.folder, self.plant, self._network = folder, plant, network
        self.data, self.log = folder / "data", folder / "server.log"
        self.tokens: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        points = [point.id for point in inventory.termination_points]
        self.spare = [point for point in points if point != BREAKS]
        self.links = [(link.id, link.metric) for link in inventory.links]
        self.start()

    # --- the process ---

    def start(self) -> None:
        """Start the server, as somebody would who installs it."""
        settings = {
            "NOCTURNE_NETWORK_URL": self.plant.url,
            "NOCTURNE_NETWORK": f"file:{self._network}",
            "NOCTURNE_PROPOSAL_S": str(PROPOSAL_S),
            "NOCTURNE_FAILED_LOGINS": str(GUESSES),
            "NOCTURNE_BODY_TIMEOUT_S": "2",
            "NOCTURNE_LOG_LEVEL": "debug",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NOCTURNE_")}
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "serve", "--data", str(self.data), "--port", "0"],
                cwd=ROOT,
                env=kept | settings,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self.url = self.until(self._address, "the server's address", 180.0)
        self.until(lambda: httpx.get(f"{self.url}/health", trust_env=False).is_success, "its health", 120.0)

    def _address(self) -> str:
        if self._process.poll() is not None:
            raise RuntimeError(f"the server ended: {self.log.read_text()[-500:]}")
        place = self.data / "server.url"
        return place.read_text().strip() if place.exists() else ""

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._process.kill()
        self._process.wait()
        (self.data / "server.url").unlink(missing_ok=True)

    def stop(self) -> None:
        """Ask the server to end, and end it where it does not."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def resident(self) -> int:
        """Return the bytes of memory that the server holds."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    # --- knocking ---

    def ask(self, method: str, path: str, who: str = "", **request: Any) -> httpx.Response:
        """Send a request as somebody (as nobody, without a name)."""
        headers = self.bearer(who) if who else {}
        headers |= request.pop("headers", {})
        return httpx.request(
            method, self.url + path, headers=headers, timeout=request.pop("timeout", 60), trust_env=False, **request
        )

    def get(self, who: str, path: str, **params: Any) -> httpx.Response:
        return self.ask("GET", path, who, params=params)

    def post(self, who: str, path: str, body: Any = None, **request: Any) -> httpx.Response:
        """Send a command; where the house says "try again in a moment" (it is looking anew), do."""
        for _ in range(30):
            answer = self.ask("POST", path, who, json=body, **request)
            if answer.status_code != 409 or "try again in a moment" not in answer.text:
                break
            time.sleep(0.3)
        return answer

    def raw(self, *pieces: bytes, wait_s: float = 15.0) -> bytes:
        """Send bytes as they are; return the answer, or nothing where the server hangs up."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        answer = b""
        with socket.create_connection((host, int(port)), timeout=wait_s) as wire:
            try:
                for piece in pieces:
                    wire.sendall(piece)
                while not (answer.endswith(b"}") and b"\r\n\r\n" in answer) and (more := wire.recv(65536)):
                    answer += more
            except (ConnectionError, TimeoutError):
                pass  # it hung up while we were talking
        return answer

    def bearer(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def until(self, look: Callable[[], Any], what: str, within_s: float = 60.0) -> Any:
        """Return what `look` finds as soon as it finds something."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                if found := look():
                    return found
            except httpx.HTTPError:
                pass  # it does not listen yet
            time.sleep(0.2)
        raise TimeoutError(f"waited {within_s:g} s in vain for {what}")

    # --- who is there ---

    def people(self) -> None:
        """Make the accounts, as the first administrator does."""
        first: dict[str, str] = json.loads((self.data / "identities.json").read_text())
        self.tokens |= first
        for name, roles, person in CAST:
            self.account(name, roles, person)

    def account(self, name: str, roles: list[str], person: str = "", **more: Any) -> httpx.Response:
        """Make an account and keep its token."""
        answer = self.post("admin", "/accounts", {"name": name, "roles": roles, "person": person} | more)
        if answer.status_code != 201:
            raise RuntimeError(f"no account `{name}` was made: {answer.status_code} {answer.text}")
        self.tokens[name] = answer.json()["token"]
        self.ids[name] = answer.json()["account"]["id"]
        return answer

    # --- the network, and what is asked for in it ---

    def begin(self) -> None:
        """Break something, so that there is a proposal to fight about."""
        self.first = self.break_something()

    def break_anew(self) -> dict[str, Any]:
        """Have all faults end, wait until the house knows, and break the same thing once more; see `break_something`.

        One fault at a time: several in a network this small are one trouble, and ask for another plan.
        """
        self.plant.umpire().calm()
        try:
            self.until(lambda: not self._open(), "the end of the incident", 45.0)
        except TimeoutError:  # what strangers said of it in an attack is not taken back by anybody
            for id in self._open():
                self.post("duty", f"/incidents/{id}/close", {"because": "it was an attack"})
        return self.break_something()

    def _open(self) -> list[str]:
        """Return the open incidents about what was broken."""
        rows = self.get("viewer", "/incidents", state="open").json()
        return [row["id"] for row in rows if BREAKS in row["elements"]]

    def now(self) -> str:
        return datetime.now(UTC).isoformat()

    def break_something(self) -> dict[str, Any]:
        """Lock an interface by mistake, and return the house's own proposal, once it waits for people."""
        self._before = len(self.plant.umpire().journal())
        self.plant.umpire().inject("interface_locked", BREAKS)
        return self.waiting()

    def waiting(self) -> dict[str, Any]:
        """Return the house's own proposal about what is broken, once it waits for people."""

        def waits() -> dict[str, Any] | None:
            for card in self.get("viewer", "/inbox").json():
                steps = card["proposal"]["plan"]["steps"]
                settled = card["diagnosis"] and not card["diagnosis"]["provisional"]
                if settled and [step["target"] for step in steps] == [BREAKS]:
                    return dict(card["proposal"])
            return None

        return self.until(waits, f"the proposal about {BREAKS}", 90.0)  # type: ignore[no-any-return]

    def wanted(self, like: dict[str, Any], who: str = "engineer") -> dict[str, Any]:
        """Have an engineer ask for the repair and for one link more to be drained; return it once it waits for people.

        Of the links, the first is taken whose draining is sound beside the repair, and that nobody asked for yet.
        """
        for link, metric in self.links:
            steps = [*like["plan"]["steps"], {"kind": "drain_link", "target": link, "previous_metric": metric}]
            body = {"incident_id": like["incident_id"], "plan": {"steps": steps}, "because": "to be sure"}
            made = self.post(who, "/proposals", body)
            if made.status_code == 409:
                continue
            if made.status_code != 201:
                raise RuntimeError(f"no proposal was made: {made.status_code} {made.text[:200]}")
            found = self.judged(made.json()["id"])
            if found["state"] == "held":
                return found
        raise RuntimeError(f"no plan of {who} is sound beside `{like['id']}`: {found['state_reason']}")

    def judged(self, id: str) -> dict[str, Any]:
        """Return a proposal once it was rehearsed and judged."""

        def look() -> dict[str, Any] | None:
            found = self.proposal(id)
            return found if found["state"] not in {"drafted", "rehearsed"} else None

        return self.until(look, f"the judgement of {id}")  # type: ignore[no-any-return]

    def proposal(self, id: str) -> dict[str, Any]:
        return dict(self.get("viewer", f"/proposals/{id}").json()["proposal"])

    def approve(self, who: str, proposal: dict[str, Any], **more: Any) -> httpx.Response:
        return self.post(who, f"/proposals/{proposal['id']}/approve", {"because": "it fits"} | more)

    def done(self) -> list[dict[str, Any]]:
        """Return what really happened since something broke, by the network's own journal."""
        return self.plant.umpire().journal()[self._before :]

    def records(self, ref: str = "", kind: str = "") -> list[dict[str, Any]]:
        """Return the newest records about something, as the auditor sees them."""
        params = {"limit": 1000} | ({"ref": ref} if ref else {}) | ({"kind": kind} if kind else {})
        return list(self.get("auditor", "/audit", **params).json())


@contextmanager
def site(folder: Path, seed: int = 1, elements: int = 60) -> Iterator[Site]:
    """Start plant and server; end both."""
    inventory = operator_network(seed, elements=elements)
    network = folder / "network.json"
    network.write_text(json.dumps(dump(inventory)))
    with start_plant(inventory, seed, folder / "plant") as plant:
        found = Site(folder, plant, network, inventory)
        try:
            found.people()
            yield found
        finally:
            found.stop()
