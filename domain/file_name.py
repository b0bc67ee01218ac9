"""The names people give to files: taken as they are, or refused with the reason; never silently changed.

A name is only ever shown and sent back; files are stored under their digest, so no name reaches the disk.
"""

import re
import unicodedata

from domain.errors import InvalidData

LONGEST_NAME_BYTES = 200
"""In UTF-8; file systems allow 255, and a prefix such as a version number must still fit on download."""

_FORBIDDEN = re.compile(r'[<>:"|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def accepted_file_name(name: str) -> str:
    """The name in Unicode NFC, if it can be kept and handed out again on every system.

    Raises InvalidData, with what is wrong, for an empty or too long name, parts of a path, control and
    direction characters, characters that Windows forbids, its device names, and a dot or blank at the end.
    """
    composed = unicodedata.normalize("NFC", name)
    fault = _fault_of(composed)
    if fault:
        raise InvalidData(f"文件名不能使用：{fault}。请改名后重新上传。")
    return composed


def extension_of(name: str) -> str:
    """The part after the last dot in lower case, without the dot; empty if there is none."""
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else ""


def _fault_of(name: str) -> str | None:
    """What is wrong with a name, in words that finish a sentence; None if nothing is."""
    if not name.strip():
        return "文件名是空的"
    if hidden := next((c for c in name if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")), None):
        return f"含有看不见的控制字符 U+{ord(hidden):04X}"
    if "/" in name or "\\" in name:
        return "含有路径分隔符，只要文件名本身，不要文件夹"
    if name in (".", "..") or name.startswith("."):
        return "以点号开头"
    if name != name.strip() or name.endswith("."):
        return "首尾有空格，或者以点号结尾"
    if found := _FORBIDDEN.search(name):
        return f"含有不能用于文件名的字符 {found.group()}"
    if _DEVICE.fullmatch(name):
        return f"{name} 是操作系统保留的设备名"
    length = len(name.encode())
    if length > LONGEST_NAME_BYTES:
        return f"长 {length} 字节，最多 {LONGEST_NAME_BYTES} 字节（一个汉字占 3 字节）"
    return None
