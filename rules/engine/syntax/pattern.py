"""Text patterns that cannot run away: a small part of regular expressions, always matched against the whole text."""

import re

from .expression import TypeFault

LONGEST = 120
PIECE = re.compile(
    r"""(?P<item>\\[dwsDWS.\\+*?()\[\]{}|/-]|\[\^?(?:\\.|[^\]\\\[])+\]|[^\\\[\](){}*+?|^$]|(?P<open>\((?:\?:)?)|(?P<close>\)))
        (?P<repeat>\{[0-9]{1,3}(?:,[0-9]{0,3})?\}|[*+?])?|(?P<bar>\|)""",
    re.VERBOSE,
)

FOREIGN = ("(?=", "(?!", "(?<", "(?P", "(?#", "(?(")


def check_pattern(text: str) -> str:
    """The pattern itself when it is safe: no look-around, back-reference or repeat of a group that repeats. Raises TypeFault."""
    if not text or len(text) > LONGEST:
        raise TypeFault(f"格式应为 1 到 {LONGEST} 字")
    _walk(text)
    try:
        re.compile(text, re.ASCII)
    except re.error as error:
        raise TypeFault(f"格式读不通：{error}") from error
    return text


def _walk(text: str) -> None:
    position, repeats_in, open_ended = 0, [False], 0
    while position < len(text):
        piece = PIECE.match(text, position)
        if piece is None or text.startswith(FOREIGN, position):
            raise TypeFault(
                f"格式第 {position + 1} 字起不受支持：{text[position : position + 8]}。整段总是首尾对齐，不写 ^ 和 $，不用前后瞻和回引"
            )
        position = piece.end()
        _nest(piece, repeats_in)
        open_ended += _endless(piece["repeat"])
    if open_ended > 2:
        raise TypeFault("格式里没有上限的重复（* 或 +）超过 2 处。请写明次数，如 {1,20}")


def _nest(piece: re.Match, repeats_in: list[bool]) -> None:
    repeated = bool(piece["repeat"])
    if piece["open"]:
        if repeated:
            raise TypeFault("格式里的括号后面直接写了重复次数")
        repeats_in.append(False)
        return
    inside = repeats_in.pop() if piece["close"] else False
    if not repeats_in:
        raise TypeFault("格式里多了一个右括号")
    if inside and repeated:
        raise TypeFault("格式里重复的括号内又有重复，可能算不完。请写成不嵌套的样子")
    repeats_in[-1] = repeats_in[-1] or repeated or inside


def _endless(repeat: str | None) -> int:
    return int(bool(repeat) and (repeat in "*+" or repeat.endswith(",}")))
