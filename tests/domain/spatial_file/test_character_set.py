"""Which character set texts are in: stated, told from the contents, chosen by a person."""

import struct

import pytest

from domain.errors import InvalidData
from domain.spatial_file import read_spatial_file
from domain.spatial_file.character_set import contradicted, detected

SIMPLIFIED = ["青浦区水田", "长宁区新华路街道", "耕地保护空间", "旱地"]
TRADITIONAL = ["臺北市中正區", "國語資料庫", "農業用地", "道路"]


def dbase(texts, codec, language=0, width=20):
    """A table with one text field NAME."""
    header = struct.pack("<4BIHH", 3, 124, 1, 1, len(texts), 65, width + 1) + bytes(17) + bytes([language]) + bytes(2)
    field = b"NAME".ljust(11, b"\0") + b"C" + bytes(4) + bytes([width, 0]) + bytes(14)
    rows = b"".join(b" " + text.encode(codec)[:width].ljust(width) for text in texts)
    return header + field + b"\r" + rows


@pytest.fixture
def read(tmp_path):
    def read_table(content, cpg=None, encoding=None):
        path = tmp_path / "a.dbf"
        path.write_bytes(content)
        if cpg is not None:
            path.with_suffix(".cpg").write_text(cpg)
        return read_spatial_file(path, "a.dbf", encoding=encoding)

    return read_table


@pytest.mark.parametrize(
    ("texts", "codec", "name"),
    [
        (SIMPLIFIED, "gbk", "GB18030"), (SIMPLIFIED, "utf-8", "UTF-8"), (TRADITIONAL, "big5", "Big5"),
        (["Alto da Nação", "Águas Compridas"], "cp1252", "Windows-1252"), (["plain"], "ascii", "UTF-8"),
    ],
)  # fmt: skip
def test_contents_tell_the_set(texts, codec, name):
    assert detected([text.encode(codec) for text in texts])[0] == name


@pytest.mark.parametrize(("codec", "language"), [("gbk", 0x4D), ("gbk", 0), ("utf-8", 0), ("utf-8", 0x4D), ("gbk", 0x57)])
def test_table_without_cpg_is_read_right_whatever_its_language_byte_says(read, codec, language):
    file = read(dbase(SIMPLIFIED, codec, language, 40))
    assert list(file.layers[0].columns["NAME"]) == SIMPLIFIED


def test_judged_set_is_noted(read):
    assert any("由内容判断为 GB18030" in note for note in read(dbase(SIMPLIFIED, "gbk")).layers[0].notes)


def test_cpg_that_cannot_be_right_is_refused(read):
    with pytest.raises(InvalidData, match="第 1 行的文字不是 UTF-8 编码"):
        read(dbase(SIMPLIFIED, "gbk"), "UTF-8")
    with pytest.raises(InvalidData, match="与文字不符，文字看起来是 GB18030"):
        read(dbase(SIMPLIFIED, "gbk"), "Big5")
    with pytest.raises(InvalidData, match="与文字不符，文字看起来是 UTF-8"):
        read(dbase(SIMPLIFIED, "utf-8", width=40), "GBK")


def test_cpg_that_is_right_is_followed(read):
    assert read(dbase(TRADITIONAL, "big5"), "950").layers[0].values(0) == {"NAME": "臺北市中正區"}
    assert contradicted([text.encode("big5") for text in TRADITIONAL], "Big5") == ""


def test_choice_of_a_person_wins_over_the_cpg(read):
    assert read(dbase(SIMPLIFIED, "gbk"), "UTF-8", encoding="GBK").layers[0].values(3) == {"NAME": "旱地"}


def test_choice_that_cannot_be_right_is_told(read):
    with pytest.raises(InvalidData, match="不是 UTF-8 编码"):
        read(dbase(SIMPLIFIED, "gbk"), encoding="UTF-8")
    with pytest.raises(InvalidData, match="“火星文”不认识"):
        read(dbase(SIMPLIFIED, "gbk"), encoding="火星文")


def test_character_cut_in_two_by_the_width_is_left_off(read):
    assert read(dbase(["青浦区水田"], "gbk", width=9), "GBK").layers[0].values(0) == {"NAME": "青浦区水"}
