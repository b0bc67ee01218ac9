"""Which character set the texts of a file are in: stated, or told from what the texts contain."""

import codecs
import re
from collections.abc import Iterable, Iterator

from domain.errors import InvalidData

ACCEPTED = ("UTF-8", "GBK", "GB18030", "Big5")
"""What a person may choose for a file whose texts come out wrong."""
_NAMES = {
    "UTF8": "UTF-8", "65001": "UTF-8",
    "GBK": "GBK", "936": "GBK", "CP936": "GBK", "ANSI936": "GBK", "GB2312": "GB18030", "EUCCN": "GB18030",
    "GB18030": "GB18030", "54936": "GB18030",
    "BIG5": "Big5", "950": "Big5", "CP950": "Big5", "ANSI950": "Big5", "BIG5HKSCS": "Big5",
    "ASCII": "UTF-8", "USASCII": "UTF-8",
}  # fmt: skip
_PYTHON = {"UTF-8": "utf-8", "GBK": "gb18030", "GB18030": "gb18030", "Big5": "cp950"}
_OTHERS = re.compile(r"(CP|ANSI|WINDOWS)?(\d{3,5})|LATIN\d|ISO8859\d{1,2}|ISO88591?\d*|KOI8R|EUCKR|EUCJP|SHIFTJIS|SJIS|WIN\d+")
_LEAST_COMMON = 0.3
"""Share of common characters below which double bytes are accents of a western text, not Chinese."""
_A, _Z = ord("a"), ord("z")
_GB_TRAIL, _A_DOZEN = 0xA1, 12
_HALF, _NEARLY_ALL = 0.5, 0.9
"""Shares between which a stated Chinese set and the texts do not contradict each other for certain."""
_DBF_LANGUAGE = {0x4D: "GBK", 0x4F: "Big5", 0x7A: "GBK", 0x78: "Big5"}
"""Language driver bytes of dBASE tables that name a Chinese character set; the others are too often wrong to follow."""


def charset_named(text: str, where: str) -> tuple[str, str]:
    """(name a person reads, Python codec) of a stated character set; InvalidData for one that is not known."""
    plain = re.sub(r"[^A-Z0-9]", "", text.strip().upper())
    if plain in _NAMES:
        return _NAMES[plain], _PYTHON[_NAMES[plain]]
    found = _OTHERS.fullmatch(plain)
    if found:
        for spelling in (plain, f"cp{found.group(2)}", f"iso8859-{plain[-1]}", plain.replace("WIN", "cp"), "koi8-r"):
            try:
                codec = codecs.lookup(spelling).name
                return codec.upper(), codec
            except LookupError:
                continue
    raise InvalidData(f"{where}写明的编码“{text.strip()[:20]}”不认识。请改用 GBK 或 UTF-8 重新导出，或在读取时选定编码。")


def charset_of_language(byte: int) -> tuple[str, str] | None:
    """The Chinese character set that the language byte of a dBASE table names; None if it names none."""
    name = _DBF_LANGUAGE.get(byte)
    return (name, _PYTHON[name]) if name else None


def decoded(raw: bytes, codec: str) -> str:
    """The text; a last character that the width of the field cut in two is left off. Raises UnicodeDecodeError."""
    return codecs.getincrementaldecoder(codec)().decode(raw, final=False)


def fits(texts: Iterable[bytes], codec: str) -> bool:
    """True if every text can be read in the character set."""
    try:
        for text in texts:
            decoded(text, codec)
    except UnicodeDecodeError:
        return False
    return True


def detected(texts: Iterable[bytes]) -> tuple[str, str, bool]:
    """(name, Python codec, whether it was a judgement) of texts that name no character set.

    UTF-8 if all fit, else GB18030 or Big5, whichever has more of its common characters; western where neither has.
    Raises InvalidData if none fits.
    """
    foreign = [text for text in texts if not text.isascii()]
    if not foreign or fits(foreign, "utf-8"):
        return "UTF-8", "utf-8", False
    possible = [name for name in ("GB18030", "Big5") if fits(foreign, _PYTHON[name])]
    best = max(possible, key=lambda name: _common_share(foreign, name)) if possible else ""
    if best and _common_share(foreign, best) >= _LEAST_COMMON:
        return best, _PYTHON[best], True
    if fits(foreign, "cp1252"):
        return "Windows-1252", "cp1252", True
    raise InvalidData("文字既不是 UTF-8，也不是 GBK 或 Big5 编码。请另存为 UTF-8 或 GBK，或在读取时选定编码。")


def contradicted(texts: Iterable[bytes], name: str) -> str:
    """The Chinese character set that texts are evidently in, where they can be read as `name` but are not; else ""."""
    foreign = [text for text in texts if not text.isascii()]
    if name not in _PYTHON or not foreign or not fits(foreign, _PYTHON[name]) or name == "UTF-8":
        return ""
    if fits(foreign, "utf-8"):
        return "UTF-8"
    own, other = ("Big5", "GB18030") if name == "Big5" else ("GB18030", "Big5")
    is_unlike = _common_share(foreign, own) < _HALF or (own == "Big5" and _lacks_low_trails(foreign))
    is_other = is_unlike and _common_share(foreign, other) > _NEARLY_ALL
    return other if is_other and fits(foreign, _PYTHON[other]) else ""


def _lacks_low_trails(texts: Iterable[bytes]) -> bool:
    """True for a dozen double bytes or more of which none ends below 0xA1; in Big5 two of five do."""
    trails = [trail for _, _, trail in _pairs(texts)]
    return len(trails) >= _A_DOZEN and min(trails) >= _GB_TRAIL


def _common_share(texts: Iterable[bytes], name: str) -> float:
    """Share of the double bytes that are common characters of the set (level 1 of GB 2312, of Big5).

    A double byte between small Latin letters counts as none: there it is an accented letter of a western word.
    """
    found = [not is_in_word and _is_common(lead, trail, name) for is_in_word, lead, trail in _pairs(texts)]
    return sum(found) / len(found) if found else 0.0


def _is_common(lead: int, trail: int, name: str) -> bool:
    if name == "GB18030":
        return 0xB0 <= lead <= 0xD7 and trail >= _GB_TRAIL
    return 0xA4 <= lead <= 0xC6 and (0x40 <= trail <= 0x7E or trail >= _GB_TRAIL)


def _pairs(texts: Iterable[bytes]) -> Iterator[tuple[bool, int, int]]:
    """(whether it stands beside a small Latin letter, first byte, second byte) of each double byte."""
    for text in texts:
        index = 0
        while index < len(text) - 1:
            if text[index] < 0x80:
                index += 1
                continue
            beside = (*text[max(0, index - 1) : index], *text[index + 2 : index + 3])
            yield any(_A <= each <= _Z for each in beside), text[index], text[index + 1]
            index += 2
