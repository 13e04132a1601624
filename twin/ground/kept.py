"""The learner that comes with the house. `nocturne train steering --seed 1` gives its tensors again.

Its card says what it was made of and what the promotion rule made of it. Nothing in the house steers by it.
"""

import hashlib
import hmac
from functools import lru_cache
from importlib.resources import files

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load

from domain.errors import BadInput
from domain.models import ModelCard
from twin.ground.scorer import Scorer

ARTEFACT, CARD = "model.safetensors", "card.json"
SEED = 1


@lru_cache(maxsize=1)
def kept() -> tuple[ModelCard, Scorer]:
    """Return the card and the learner, ready to be asked.

    Raises:
        BadInput: a file is missing, or is not the one that the card describes.
    """
    folder = files("twin.ground").joinpath("shipped")
    try:
        card = folder.joinpath(CARD).read_bytes()
        artefact = folder.joinpath(ARTEFACT).read_bytes()
    except OSError as error:
        raise BadInput("the learner's card or tensors are missing; install the release again") from error
    return opened(card, artefact)


def opened(card: bytes, artefact: bytes) -> tuple[ModelCard, Scorer]:
    """Check an artefact against its card and return both. Raises BadInput (see `kept`)."""
    try:
        described = ModelCard.model_validate_json(card)
    except ValidationError as error:
        raise BadInput("the learner's card cannot be read; install the release again") from error
    if not hmac.compare_digest(hashlib.sha256(artefact).hexdigest(), described.artefact_sha256):
        raise BadInput("the learner's tensors are not those of its card; install the release again")
    try:
        tensors = load(artefact)
    except (SafetensorError, ValueError) as error:
        raise BadInput("the learner's tensors are no safetensors; install the release again") from error
    if not all(np.isfinite(value).all() for value in tensors.values()):
        raise BadInput("the learner's tensors hold what is no number; train them again")
    return described, Scorer(tensors)
