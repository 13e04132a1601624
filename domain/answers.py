"""Answers: what the house says when somebody asks it why. Each sentence rests on something recorded."""

from typing import Self

from pydantic import Field, model_validator

from domain.base import Word

#: Said with every answer, so that nobody takes it for a colleague's.
NOTICE = "This answer was written by software from recorded facts."


class Sentence(Word):
    """One statement and the ids of the records that it rests on."""

    text: str = Field(min_length=1)
    cites: tuple[str, ...] = ()


class Answer(Word):
    """What was said to a question. A refusal states no fact, so only its sentences need no citation."""

    sentences: tuple[Sentence, ...] = Field(min_length=1)
    refused: bool = False
    notice: str = NOTICE

    @model_validator(mode="after")
    def _supported(self) -> Self:
        if not self.refused and not all(sentence.cites for sentence in self.sentences):
            raise ValueError("each sentence of an answer needs a recorded id that it rests on")
        return self
