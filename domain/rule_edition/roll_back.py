"""Roll back: the rules of an earlier edition published anew, as the newest edition.

Usually a second person reviews it as any other draft. In an emergency one person may do it at once, if the portal's
parameter allows that; every maintainer is told, and the reason stands in the audit.
"""

from domain import parameter
from domain.command import Work, command, holders_of
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.office import office_of
from domain.rule_edition import draft, shelf, store
from domain.rule_edition.dating import dated, substance
from domain.rule_edition.examination import examine_text
from domain.rule_edition.publication import NOTICE, ended_by, recorded
from domain.rule_edition.review import tell_keepers
from domain.rule_edition.tables import ROLLED_BACK, SET_ASIDE, RuleDraft, RuleEdition
from rules.engine import Unread, read_content
from rules.engine.standing import day_of


@command("rule_edition.roll_back", allow=holders_of("rule_maintainer"))
def roll_back(work: Work, edition_id: int, why: str) -> RuleEdition:
    """Bring the rules of an earlier edition back at once, by one person.

    Raises NotAllowed where a second person is required, InvalidData without a reason or when the old text cannot be
    read any more, Conflict when it is in force or was never in force.
    """
    if not parameter.value(work.session, "rule_roll_back_alone"):
        raise NotAllowed("本单位要求回退也经另一位规则维护人员复核。请用“起草回退”，复核通过后发布。")
    shelf.lock(work)
    wanted, before = _wanted(work, edition_id, why)
    text = dated(wanted.text, day_of(work.at), None)
    _must_be_readable(work, wanted, text)
    edition = recorded(work, text, work.at, before)
    ended_by(work, before, work.at, ROLLED_BACK)
    edition.why, edition.rolls_back_to = why.strip(), wanted.id
    edition.author_id, edition.author_name = work.actor.person_id, work.actor.name
    work.record(f"rule_set:{edition.key}", act="roll_back", edition=edition.id, to=wanted.id, from_edition=before.id,
                digest=edition.digest, why=edition.why)  # fmt: skip
    tell_keepers(work, f"「{edition.title}」已紧急回退", f"{work.actor.name}：{edition.why}", NOTICE)
    return edition


@command("rule_edition.draft_roll_back", allow=holders_of("rule_maintainer"))
def draft_roll_back(work: Work, edition_id: int, why: str) -> RuleDraft:
    """Open a draft with the rules of an earlier edition, to be reviewed and published by two people."""
    wanted, before = _wanted(work, edition_id, why)
    return draft.started(work, before, wanted.text, why, rolls_back_to=wanted.id)


def _wanted(work: Work, edition_id: int, why: str) -> tuple[RuleEdition, RuleEdition]:
    """The earlier edition and the one in force."""
    wanted = store.edition(work.session, edition_id)
    before = store.in_force(work.session, (wanted.kind, wanted.key, wanted.is_demo), work.at)
    if before is None:
        raise NotFound(f"「{wanted.title}」没有施行中的版本，无从回退。")
    if wanted.id == before.id or wanted.effective_at > work.at or wanted.state == SET_ASIDE:
        raise Conflict(f"「{wanted.title}」的这一版不是以前施行过的版本，不能回退到它。请从版本列表中另选一版。")
    if not why.strip():
        raise InvalidData("请写明回退的理由。", {"why": "请写明回退的理由。"})
    return wanted, before


def _must_be_readable(work: Work, wanted: RuleEdition, text: str) -> None:
    """The old rules still compile, still get their facts, and still say what they said."""
    examination = examine_text(office_of(work.session), text, wanted.key)
    if examination.rules is None or examination.golden.get("failed"):
        raise InvalidData("这一版的规则在现在的门户里读不出或用例不通过，没有回退。" + "；".join(examination.reasons))
    try:
        then = read_content(wanted.content, office_of(work.session).book.known)
    except Unread as unread:
        raise InvalidData("这一版存档的规则读不出，没有回退：" + "；".join(map(str, unread.faults))) from unread
    if substance(then) != substance(examination.rules):
        raise InvalidData("这一版引用的法定数后来变了，照原文回退会得到另一套规则。请起草新版本，把数写明后送复核。")
