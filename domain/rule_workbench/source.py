"""A rule set as it is written somewhere: in an edition on record, or in a draft."""

from datetime import datetime

from sqlmodel import Session

from domain.decision import kind_of
from domain.errors import InvalidData, NotFound
from domain.office import Office, office_of
from domain.rule_edition import draft as drafts
from rules.engine import RuleSet, Unread, read_text


def of_edition(office: Office, key: str, digest: str) -> RuleSet:
    """The edition of a rule set with a digest, in force or not. Raises NotFound."""
    editions = office.book.editions(kind_of(office.book, key), key)
    found = next((rules for rules in editions if rules.digest == digest), None)
    if found is None:
        raise NotFound("没有这个版本的规则。请从版本列表中选择。")
    return found


def in_force(office: Office, key: str, at: datetime) -> RuleSet:
    """The edition in force at a moment. Raises RuleSetMissing or NoEditionInForce."""
    return office.book.rule_set(kind_of(office.book, key), key, at)


def of_draft(session: Session, draft_id: int, key: str | None = None) -> RuleSet:
    """The present text of a draft; of the rule set `key` if one is named. Raises NotFound, InvalidData while it cannot be read."""
    row = drafts.draft(session, draft_id)
    if key is not None and row.key != key:
        raise NotFound("这份草稿不是这套规则的。请从这套规则的草稿进入。")
    return readable(office_of(session), row.text, row.key)


def readable(office: Office, text: str, file: str) -> RuleSet:
    """The rule set in a text. Raises InvalidData naming what keeps it from being read."""
    try:
        return read_text(text, file, office.book.known)
    except Unread as unread:
        reasons = "；".join(f"第 {fault.line} 行 {fault.key}：{fault.message}" for fault in unread.faults)
        raise InvalidData(f"规则文本有错，还不能用来判断。请先改正：{reasons}。") from unread
