"""The narrator: answers questions from the record, sentence by sentence, and refuses what the record does not hold.

It recognises a few kinds of question by their words and reads one matter from the record. No language model is
asked. A question can change nothing: the narrator has no tool that writes, and an order is simply no question.
"""

import re
from collections.abc import Callable

from agents.cards import NARRATOR
from agents.ports import Facts
from agents.telling import Matter, approvals, done, how_sure, not_checked, outcome, timeline, verdicts, why
from agents.wording import quoted
from domain.agents import AgentCard
from domain.answers import Answer, Sentence

CARD: AgentCard = NARRATOR

_LONGEST_QUESTION = 1000
_MOST_REFS = 8

#: Kinds of question, the more particular first: what they are recognised by, and what answers them.
KINDS: tuple[tuple[str, Callable[[Matter], list[Sentence]]], ...] = (
    (r"\b(not|n't|never|un)[ -]?(been )?(check|look|verif|examin)|\bgaps?\b|\bblind", not_checked),
    (r"\bwho\b.*\b(approv|sign|reject|decid|allow|said)|\b(was|were|is|has|have)\b.*\b(approved|signed)\b", approvals),
    (r"\bhow (sure|certain|confident|likely|safe)|\bconfiden|\bprobab|\bcertain", how_sure),
    (r"\b(held|hold|holds|denied|deny|blocked|waits?|waiting|withdrawn|rejected|polic(y|ies)|rules?)\b", verdicts),
    (r"\boutcome|\bresult|\b(did|has) (it|that|this).*\b(work|help)|\brestored|\bresolved|\bhow did .*\bend", outcome),
    (r"\bwhat (was|were|has been|did|have|had)\b.*\b(done|do|did|change|changed)\b|\bsteps?\b|\bactions?\b", done),
    (r"\bwhat (has )?happened|\btimeline|\bhistory|\bwhen\b|\bin what order", timeline),
    (r"\bwhy\b|\bcause|\bwhat is wrong|\bwhat's wrong|\broot\b|\breason", why),
)

_CAN_ASK = (
    "You can ask about an incident, a proposal or an element by its id, or about the latest incident: why it "
    "happened, what happened, who approved, what was done, what came of it, how sure we are, what was not checked, "
    "and why something was held or denied."
)

_TOKEN = re.compile(r"[\w:./+@|#-]+")
_LIKE_ID = re.compile(r".*[_:\d].*")
#: Numbers, times and generations of radio are words too.
_NO_ID = re.compile(r"\d+([.:]\d+)*|[2-6]g", re.IGNORECASE)


def answer(question: str, facts: Facts) -> Answer:
    """Answer a question about the record.

    Args:
        question: what was asked, in English; only its first 1,000 characters are read.
        facts: the record, read-only.

    Returns:
        Sentences that each cite recorded ids; or a refusal that says what can be asked.
    """
    asked = question[:_LONGEST_QUESTION]
    tell = next((tell for pattern, tell in KINDS if re.search(pattern, asked.lower())), None)
    if tell is None:
        return _refusal("This is no question that the record can answer.")
    named = _names(asked)
    found = next((full for name in named if (full := facts.find(name))), None)
    if named and found is None:
        return _refusal(f"The record knows nothing by the name of {quoted(named[0], 64)}.")
    matter = _matter(facts, found or facts.find("latest"), tuple(named))
    if matter is None:
        return _refusal("The record holds no incident that this could be about.")
    sentences = tell(matter)
    return Answer(sentences=tuple(sentences)) if sentences else _refusal("The record holds nothing that answers this.")


def _names(question: str) -> list[str]:
    """Return what in the question may name something recorded; plain words are taken for words."""
    tokens = [token.strip(".:-|/") for token in _TOKEN.findall(question)]
    return [token for token in tokens if _LIKE_ID.fullmatch(token) and not _NO_ID.fullmatch(token)][:_MOST_REFS]


def _matter(facts: Facts, ref: str | None, names: tuple[str, ...]) -> Matter | None:
    """Gather what is known of the incident that `ref` is, or belongs to."""
    incident = _incident(facts, ref) if ref else None
    if ref is None or incident is None:
        return None
    proposals = tuple(facts.proposals(incident))
    if ref.startswith("prop_"):
        proposals = tuple(proposal for proposal in proposals if proposal.id == ref)
    return Matter(facts, incident, ref, names, proposals, facts.diagnosis(incident))


def _incident(facts: Facts, ref: str) -> str | None:
    if ref.startswith("inc_"):
        return ref
    mentioned = [name for record in facts.records(ref) for name in record.refs if name.startswith("inc_")]
    return mentioned[-1] if mentioned else None


def _refusal(because: str) -> Answer:
    return Answer(sentences=(Sentence(text=because), Sentence(text=_CAN_ASK)), refused=True)
