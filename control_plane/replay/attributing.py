"""Attribution, so that it can be made again: whether DoWhy was there yet is heard, what it says is worked out."""

from causal.attribution import Attributor
from control_plane.replay.tape import heard


class HeardAttributor(Attributor):
    """An `Attributor` whose readiness is on the tape: a diagnosis that did not wait for it, does not when replayed."""

    def ready(self, *, wait: bool) -> bool:
        return heard("attribution.ready", lambda: super(HeardAttributor, self).ready(wait=wait))
