"""An application behind a real socket, for tests of what speaks to it from outside."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def served(http: Any) -> Iterator[str]:
    """Serve an ASGI application on a free loopback port while the block runs; yield its address."""
    server = uvicorn.Server(uvicorn.Config(http, port=0, log_config=None, lifespan="off"))
    ready, startup = threading.Event(), server.startup

    async def announced(*args: Any, **named: Any) -> None:
        await startup(*args, **named)
        ready.set()

    server.startup = announced  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert ready.wait(20)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
