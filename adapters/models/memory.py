"""A model store in memory: a real one, for tests and for the smallest demo. It ends with the process."""

import threading
from collections.abc import Mapping

from adapters.models.keeping import ModelKeeping
from adapters.models.signing import HouseKey
from domain.errors import NotFound


class MemoryModels(ModelKeeping):
    """The `ModelStore` port in memory. `kept` is what a disk would hold: version → file name → bytes."""

    def __init__(self, key: HouseKey | None = None) -> None:
        super().__init__(key or HouseKey.fresh())
        self.kept: dict[str, dict[str, bytes]] = {}
        self._lock = threading.Lock()

    def versions(self) -> list[str]:
        return sorted(self.kept)

    def _add(self, version: str, files: Mapping[str, bytes]) -> bool:
        with self._lock:
            if version in self.kept:
                return False
            self.kept[version] = dict(files)
            return True

    def _files(self, version: str) -> Mapping[str, bytes]:
        if version not in self.kept:
            raise NotFound(f"no version `{version}` is kept; train or register it first")
        return self.kept[version]
