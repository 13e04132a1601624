"""Sends a router's traffic, and takes what comes in: a program of its own, run inside the router's namespace.

    python traffic.py MARK ADDRESS [DESTINATION=MBPS ...]

It binds to ADDRESS, sends UDP packets of full size at a steady rate to each DESTINATION, and reads and forgets what
arrives, so that nobody answers "port unreachable". MARK is the lab's folder: it tells whose process this is. It ends
when its standard input closes, that is, with whoever started it.
"""

import os
import select
import socket
import sys
import time

PORT = 5005
#: Bytes of one packet, headers included, and how often packets are due.
SIZE = 1400
_HEADERS = 28
_TICK_S = 0.005
_PAYLOAD = b"\0" * (SIZE - _HEADERS)


def main(address: str, flows: dict[str, float]) -> None:
    """Send until standard input closes. `flows` is Mbit/s per destination."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((address, PORT))
        door.setblocking(False)
        began = time.monotonic()
        sent = dict.fromkeys(flows, 0)
        while not _over(_TICK_S if flows else 1.0):
            passed = time.monotonic() - began
            for destination, mbps in flows.items():
                due = int(passed * mbps * 1e6 / 8 / SIZE)
                for _ in range(min(due - sent[destination], 50)):
                    _send(door, destination)
                sent[destination] = due
            _drain(door)


def _over(wait_s: float) -> bool:
    readable, _, _ = select.select([sys.stdin], [], [], wait_s)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1)


def _send(door: socket.socket, destination: str) -> None:
    try:
        door.sendto(_PAYLOAD, (destination, PORT))
    except OSError:
        return  # no way there now, or no room: that is what loss is


def _drain(door: socket.socket) -> None:
    for _ in range(1000):
        try:
            door.recv(2048)
        except OSError:
            return


if __name__ == "__main__":
    main(sys.argv[2], {name: float(mbps) for name, _, mbps in (word.partition("=") for word in sys.argv[3:])})
