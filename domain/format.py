"""Numbers, dates and sizes in the words that screens and documents share.

Every function takes exact values (Decimal, int, date, aware datetime) and returns text. A float is
refused with TypeError, because a rounded area or price must never come from a binary fraction.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
M2_PER_HECTARE = Decimal(10_000)
M2_PER_MU = Decimal(10_000) / Decimal(15)  # 1 公顷 = 15 亩
_WEEKDAYS = "一二三四五六日"
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "兆")
_DATE_DIGITS = "〇一二三四五六七八九"
_SIZE_UNITS = ("KB", "MB", "GB", "TB")
_LARGEST_MONEY = Decimal("9999999999999999.99")

Number = Decimal | int


def rounded(value: Number, places: int) -> Decimal:
    """The value rounded half up to a number of decimal places; refuses float, NaN and infinity."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"数值必须是 Decimal 或整数，得到 {type(value).__name__}。请在计算处改用 Decimal。")
    exact = Decimal(value)
    if not exact.is_finite():
        raise ValueError(f"数值 {exact} 不是有限数，无法显示。请检查它的来源。")
    result = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return abs(result) if result == 0 else result  # no「-0.00」on a statement


def thousands(value: Number, places: int | None = None) -> str:
    """A number with commas between thousands, all its own decimals unless places are given."""
    if places is None:
        places = max(0, -Decimal(value).as_tuple().exponent) if isinstance(value, Decimal) else 0
    return f"{rounded(value, places):,f}"


def signed(value: Number, places: int) -> str:
    """A posting's amount with a full-width plus or a minus sign before it: ＋ 1.5000, − 0.1836."""
    amount = rounded(value, places)
    if amount == 0:
        return thousands(amount, places)
    return f"{'−' if amount < 0 else '＋'} {thousands(abs(amount), places)}"


def area_m2(value_m2: Number) -> str:
    """An area in square metres with two decimals and the unit: 28,340.00 平方米."""
    return f"{thousands(value_m2, 2)} 平方米"


def hectares(value_m2: Number) -> str:
    """An area given in square metres, said in hectares with four decimals: 2.8340 公顷."""
    return f"{thousands(Decimal(rounded(value_m2, 2)) / M2_PER_HECTARE, 4)} 公顷"


def mu(value_m2: Number) -> str:
    """An area given in square metres, said in mu with two decimals (1 公顷 = 15 亩): 42.51 亩."""
    return f"{thousands(rounded(value_m2, 2) * 15 / M2_PER_HECTARE, 2)} 亩"


def money(value_yuan: Number) -> str:
    """An amount in yuan with two decimals: 86,420,000.00 元."""
    return f"{thousands(value_yuan, 2)} 元"


def money_wan(value_yuan: Number) -> str:
    """An amount given in yuan, said in ten thousands with two decimals: 8,642.00 万元."""
    return f"{thousands(Decimal(rounded(value_yuan, 2)) / 10_000, 2)} 万元"


def percent(ratio: Number) -> str:
    """A ratio as percent with one decimal: 0.986 is 98.6%."""
    rounded(ratio, 0)  # the same refusals as every other number
    return f"{thousands(Decimal(ratio) * 100, 1)}%"


def file_size(size_bytes: int) -> str:
    """A file size in the largest fitting unit, one decimal, 1 KB = 1024 bytes; below that in 字节."""
    if size_bytes < 0:
        raise ValueError(f"文件大小 {size_bytes} 小于零。请检查它的来源。")
    if size_bytes < 1024:
        return f"{size_bytes} 字节"
    size = Decimal(size_bytes)
    for unit in _SIZE_UNITS:
        size /= 1024
        if rounded(size, 1) < 1024:
            break
    return f"{thousands(size, 1)} {unit}"


def date_sentence(day: date, today: date | None = None) -> str:
    """A date as said in a sentence: 2026 年 11 月 24 日（周二）; without the year if today is in it."""
    day = _plain_date(day)
    year = "" if today is not None and today.year == day.year else f"{day.year} 年 "
    return f"{year}{day.month} 月 {day.day} 日（周{_WEEKDAYS[day.weekday()]}）"


def date_formal(day: date) -> str:
    """A date as printed in a document: 2026 年 11 月 24 日."""
    day = _plain_date(day)
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def date_table(day: date, today: date | None = None) -> str:
    """A date for a table column: 11-24 in today's year, else 2025-11-24."""
    day = _plain_date(day)
    return f"{day:%m-%d}" if today is not None and today.year == day.year else day.isoformat()


def moment(at: datetime) -> str:
    """A moment in Shanghai time, 24 hours, for records: 2026-11-24 09:20; refuses one without zone."""
    return f"{local(at):%Y-%m-%d %H:%M}"


def local(at: datetime) -> datetime:
    """The moment in Shanghai time; raises ValueError for a moment without a zone."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"时刻 {at.isoformat()} 没有时区。请在产生它的地方用带时区的 UTC 时刻。")
    return at.astimezone(SHANGHAI)


def capital_date(day: date) -> str:
    """A date in Chinese numerals as on official documents: 二〇二六年十一月二十四日."""
    day = _plain_date(day)
    year = "".join(_DATE_DIGITS[int(digit)] for digit in f"{day.year:04d}")
    return f"{year}年{_tens(day.month)}月{_tens(day.day)}日"


def capital_money(value_yuan: Number) -> str:
    """An amount in yuan in capital numerals, as on contracts: 捌仟陆佰肆拾贰万元整.

    Rounded to 分. Ends with 整 when there is no 分 (票据与合同的通行写法). Raises ValueError
    from 1e16 yuan on.
    """
    amount = rounded(value_yuan, 2)
    if abs(amount) > _LARGEST_MONEY:
        raise ValueError(f"金额 {amount} 元超过大写金额能写的范围（一亿亿元以下）。请核对金额。")
    yuan, cents = divmod(int(abs(amount) * 100), 100)
    jiao, fen = divmod(cents, 10)
    text = ("负" if amount < 0 else "") + (f"{_capital_integer(yuan)}元" if yuan or not cents else "")
    if not cents:
        return text + "整"
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif yuan:
        text += "零"
    return text + (f"{_DIGITS[fen]}分" if fen else "整")


def _capital_integer(value: int) -> str:
    """A whole number below 1e16 in capital numerals, with 零 wherever places are skipped."""
    if value == 0:
        return _DIGITS[0]
    text, higher = "", 0
    for power in range(len(_GROUPS) - 1, -1, -1):
        group = value // 10_000**power % 10_000
        # 零 where a place is skipped on either side of the group's border: 壹拾万零柒仟, 壹亿零壹元.
        if group and text and (group < 1000 or higher % 10 == 0):
            text += _DIGITS[0]
        text += _capital_group(group) + _GROUPS[power] if group else ""
        higher = group
    return text


def _capital_group(group: int) -> str:
    """One to four digits in capital numerals: 1005 is 壹仟零伍."""
    text, gap = "", False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit == 0:
            gap = bool(text)
            continue
        text += (_DIGITS[0] if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return text


def _tens(value: int) -> str:
    """A number from 1 to 99 in everyday numerals: 11 is 十一, 24 is 二十四."""
    tens, ones = divmod(value, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else _DATE_DIGITS[tens] + "十")
    return head + (_DATE_DIGITS[ones] if ones else "")


def _plain_date(day: date) -> date:
    """The date itself; a moment is refused because its day depends on the zone."""
    if isinstance(day, datetime):
        raise TypeError("这里要的是日期，得到的是时刻。请先用 local() 换成上海时间再取日期。")
    return day
