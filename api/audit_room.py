"""Opens the second place where checkpoints are kept, and the keys that sign them."""

from contextlib import ExitStack
from pathlib import Path

import structlog

from adapters.audit.anchors import FileAnchor, MemoryAnchor
from adapters.keys import KeptKeys, PassingKeys
from adapters.store.anchor import SqlAnchor
from api.settings import Settings
from control_plane.audit.ports import Anchor, Vault

log = structlog.get_logger("audit")


def open_vault(settings: Settings, data: Path | None, opened: ExitStack) -> Vault:
    """Return the second place of the settings; with no data folder, one that ends with the process.

    Raises:
        BadInput: the address names no store that is known here.
        Refused: the key is damaged, or others can read it.
        Unavailable: the place, or the folder of the key, cannot be read or written.
    """
    if data is None:
        return Vault(MemoryAnchor(), PassingKeys())
    anchor = _anchor(settings, data)
    opened.callback(anchor.close)
    return Vault(anchor, KeptKeys(data / "keys"))


def _anchor(settings: Settings, data: Path) -> Anchor:
    if "://" in settings.checkpoints:
        return SqlAnchor(settings.checkpoints)
    folder = Path(settings.checkpoints) if settings.checkpoints else data / "checkpoints"
    anchor = FileAnchor(folder)
    if folder.stat().st_dev == data.stat().st_dev:
        log.warning(
            "checkpoints_lie_beside_the_store",
            place=str(folder),
            advice="who can alter the one can alter the other: set NOCTURNE_CHECKPOINTS to another disk or host",
        )
    return anchor
