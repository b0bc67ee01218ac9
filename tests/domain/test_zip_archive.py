"""Zip archives from outside: names, limits, and what is refused."""

import io
import zipfile

import pytest

from domain import zip_archive
from domain.errors import InvalidData
from domain.zip_archive import unpack


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def named_in_gbk(name: str) -> bytes:
    """A zip as made by tools that write GBK names without marking them."""
    raw = name.encode("gbk")
    plain = archive(**{"x" * len(raw): b"1"})
    return plain.replace(b"x" * len(raw), raw)


def test_members_come_out_with_their_content(tmp_path):
    (path,) = unpack(archive(**{"目录/a.txt": b"abc"}), tmp_path)
    assert path == tmp_path / "目录" / "a.txt" and path.read_bytes() == b"abc"


def test_chinese_names_in_gbk_are_read(tmp_path):
    assert [path.name for path in unpack(named_in_gbk("项目范围.shp"), tmp_path)] == ["项目范围.shp"]


@pytest.mark.parametrize("name", ["../a", "/etc/a", "a/../../b", "C:/a", "..\\a"])
def test_names_that_leave_the_folder_are_refused(name, tmp_path):
    with pytest.raises(InvalidData, match="不允许"):
        unpack(archive(**{name: b"1"}), tmp_path / "in")
    assert not (tmp_path / "in").exists()


def test_link_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "target")
    with pytest.raises(InvalidData, match="链接"):
        unpack(buffer.getvalue(), tmp_path)


def test_what_is_no_zip_is_refused(tmp_path):
    with pytest.raises(InvalidData, match="不是有效的 zip"):
        unpack(b"PK nothing", tmp_path)


def test_archive_with_its_beginning_cut_off_is_refused(tmp_path):
    with pytest.raises(InvalidData, match="不是有效的 zip|已损坏"):
        unpack(archive(a=b"abc" * 1000)[5:], tmp_path)


def test_damaged_member_is_refused(tmp_path):
    content = bytearray(archive(a=b"abc" * 1000))
    content[35] ^= 0xFF
    with pytest.raises(InvalidData):
        unpack(bytes(content), tmp_path)


def test_encrypted_member_is_refused(tmp_path):
    content = bytearray(archive(a=b"abc"))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InvalidData, match="密码"):
        unpack(bytes(content), tmp_path)


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_archive, "MOST_MEMBERS", 2)
    assert len(unpack(archive(a=b"1", b=b"2"), tmp_path)) == 2
    with pytest.raises(InvalidData, match="3 个文件"):
        unpack(archive(a=b"1", b=b"2", c=b"3"), tmp_path)


def test_size_is_counted_while_unpacking(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_archive, "MOST_BYTES", 1000)
    unpack(archive(a=b"0" * 600, b=b"0" * 400), tmp_path)
    with pytest.raises(InvalidData, match="超过"):
        unpack(archive(a=b"0" * 600, b=b"0" * 401), tmp_path)
