"""Names of uploaded files: kept as they are, or refused with the reason."""

import unicodedata

import pytest

from domain.errors import InvalidData
from domain.file_name import accepted_file_name, extension_of


@pytest.mark.parametrize("name", ["宗地图.pdf", "朱镕喆堃㛃 的申请 (2).docx", "a.tar.gz", "console.txt", "无扩展名", "测" * 65 + ".pdf"])
def test_ordinary_name_is_kept(name):
    assert accepted_file_name(name) == name


def test_decomposed_name_is_composed():
    assert accepted_file_name(unicodedata.normalize("NFD", "é.pdf")) == unicodedata.normalize("NFC", "é.pdf")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "空的"),
        ("  ", "空的"),
        ("../../etc/passwd", "路径"),
        ("C:\\tmp\\a.pdf", "路径"),
        ("..", "点号开头"),
        (".htaccess", "点号开头"),
        ("a\x00.pdf", "U\\+0000"),
        ("a\r\nSet-Cookie: x.pdf", "U\\+000D"),
        ("invoice\u202efdp.exe", "U\\+202E"),
        ("a\u200b.pdf", "U\\+200B"),
        ("a?.pdf", "字符 \\?"),
        ("a.pdf ", "首尾有空格"),
        ("a.pdf.", "点号结尾"),
        ("CON", "设备名"),
        ("com1.pdf", "设备名"),
        ("测" * 66 + ".pdf", "长 202 字节"),
    ],
)
def test_name_that_cannot_be_handed_out_again_is_refused(name, reason):
    with pytest.raises(InvalidData, match=reason):
        accepted_file_name(name)


def test_longest_name_is_counted_in_bytes():
    assert accepted_file_name("a" * 200)
    with pytest.raises(InvalidData, match="201"):
        accepted_file_name("a" * 201)


def test_extension_is_the_last_part_in_lower_case():
    assert [extension_of(name) for name in ("A.PDF", "a.gdb.zip", "readme", ".hidden")] == ["pdf", "zip", "", ""]
