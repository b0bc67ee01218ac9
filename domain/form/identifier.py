"""Identifiers people type: unified social credit codes, telephone numbers, e-mail addresses."""

import re

from domain.form.fault import FieldFault

CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015, table 2: 31 characters, without I O S V Z."""

_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})\Z")
_LANDLINE = re.compile(r"(0(?:10|2[0-9]|[3-9][0-9]{2}))-?([2-9][0-9]{6,7})(?:-([0-9]{1,6}))?\Z")
_SERVICE = re.compile(r"([48]00)-?([0-9]{3})-?([0-9]{4})\Z")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}\Z")


def credit_check_character(body: str) -> str:
    """The 18th character for the first 17 of a credit code (GB 32100-2015, 4.5: weights 3^i mod 31)."""
    total = sum(CREDIT_ALPHABET.index(each) * pow(3, place, 31) for place, each in enumerate(body))
    return CREDIT_ALPHABET[-total % 31]


def credit_code(text: str) -> str:
    """The code in capitals. Raises FieldFault for wrong length, character or check character."""
    code = re.sub(r"[\s-]", "", text).upper()
    if len(code) != 18:
        raise FieldFault(f"统一社会信用代码是 18 位，填的是 {len(code)} 位。请按营业执照填写。")
    for place, each in enumerate(code, start=1):
        if each not in CREDIT_ALPHABET:
            raise FieldFault(
                f"统一社会信用代码第 {place} 位「{each}」不会出现在代码里（不用 I、O、S、V、Z）。请按营业执照核对。"
            )
    if code[17] != credit_check_character(code[:17]):
        raise FieldFault("统一社会信用代码的最后一位与前 17 位对不上，可能有一位写错。请按营业执照逐位核对。")
    return code


def phone(text: str) -> str:
    """The number in one spelling. Raises FieldFault if it is no telephone number of the mainland."""
    digits = re.sub(r"[\s()（）]", "", text)
    mobile = _MOBILE.match(digits.replace("-", "")) if not digits.startswith("0") else None
    if mobile:
        return mobile.group(1)
    if found := _LANDLINE.match(digits):
        return "-".join(part for part in found.groups() if part)
    if found := _SERVICE.match(digits):
        return "-".join(found.groups())
    raise FieldFault(f"「{text}」不是电话号码。手机填 11 位数字，座机连区号填写，例如 021-62345678。")


def email(text: str) -> str:
    """The address. Raises FieldFault if it is none."""
    if not _EMAIL.match(text) or ".." in text:
        raise FieldFault(f"「{text}」不是电子邮箱地址。请写成 name@example.com 的样子。")
    return text
