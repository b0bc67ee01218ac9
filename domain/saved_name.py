"""The name under which a person keeps something: trimmed, of a bounded length, once among one's own."""

from collections.abc import Iterable

from domain.errors import InvalidData


def checked_name(name: str, what: str, longest: int, taken: Iterable[str] = ()) -> str:
    """The name as it is kept: single spaces, no space around it.

    `what` is the Chinese noun of what is kept, `taken` are the names it must differ from. Raises InvalidData (field
    `name`) for an empty, too long or taken name.
    """
    kept = " ".join(name.split())
    if not 0 < len(kept) <= longest:
        raise InvalidData(f"{what}的名称要写 1 到 {longest} 字。请改正。", {"name": f"要写 1 到 {longest} 字"})
    if kept in taken:
        raise InvalidData(f"已有名为“{kept}”的{what}。请换一个名称。", {"name": f"已有同名的{what}"})
    return kept
