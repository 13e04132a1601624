"""Chat in its first form: a question in, sentences with the ids of what they rest on out."""

from fastapi import APIRouter
from starlette.responses import Response

from api.http.context import Here, Who
from api.http.reply import reply
from api.http.schemas import Question
from domain.answers import Answer

router = APIRouter(tags=["ask"])


@router.post("/chat", response_model=Answer)
def chat(house: Here, who: Who, body: Question) -> Response:
    """Answer from recorded facts, or refuse. No language model is needed."""
    return reply(house.queries.ask(who, body.question))
