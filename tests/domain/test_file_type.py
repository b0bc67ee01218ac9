"""Kinds of files by content; samples are made by the libraries that own the formats."""

import io
import json
import sqlite3
import struct
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfWriter

from domain.errors import InvalidData
from domain.file_type import PROBE_BYTES, check_type, type_of


def pdf() -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(out)
    return out.getvalue()


def xlsx() -> bytes:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "样例")
    return out.getvalue()


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b""))


FEATURES = json.dumps({"type": "FeatureCollection", "features": []}).encode()
PROGRAM = b"MZ\x90\x00\x03" + bytes(60) + b"PE\0\0"
SAMPLES = [
    ("pdf", pdf()),
    ("pdf", b"\xef\xbb\xbf" + pdf()),
    ("png", png()),
    ("jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20)),
    ("xlsx", xlsx()),
    ("docx", archive("[Content_Types].xml", "word/document.xml")),
    ("macro", archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
    ("ofd", archive("OFD.xml", "Doc_0/Document.xml")),
    ("kmz", archive("doc.kml")),
    ("zip", archive("宗地.shp", "宗地.dbf")),
    ("zip", archive()),
    ("unknown", b"PK\x03\x04 broken"),
    ("doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)),
    ("mdb", b"\x00\x01\x00\x00Standard Jet DB\x00" + bytes(100)),
    ("dwg", b"AC1032\x00\x00\x00\x00"),
    ("dxf", b"  0\r\nSECTION\r\n  2\r\nHEADER\r\n  0\r\nENDSEC\r\n  0\r\nEOF\r\n"),
    ("dxf", b"999\nmade by a survey\n  0\nSECTION\n  2\nENTITIES\n"),
    ("geojson", FEATURES),
    ("json", b'{"name": "a"}'),
    ("kml", b'<?xml version="1.0"?><!-- x --><kml xmlns="http://www.opengis.net/kml/2.2"/>'),
    ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    ("html", b"<!DOCTYPE html><html></html>"),
    ("txt", "J1,3456789.123,40512345.678,界址点".encode()),
    ("txt", "坐标系,2000国家大地坐标系".encode("gb18030")),
    ("txt", "界址点".encode("utf-16")),
    ("txt", "{单位名称}".encode()),
    ("program", PROGRAM),
    ("program", b"\x7fELF\x02\x01"),
    ("script", b"#!/bin/sh\nrm -rf x\n"),
    ("empty", b""),
    ("unknown", bytes(range(256))),
]


@pytest.mark.parametrize(("kind", "data"), SAMPLES, ids=[f"{n}-{kind}" for n, (kind, _) in enumerate(SAMPLES)])
def test_kind_is_told_by_content(tmp_path: Path, kind, data):
    path = tmp_path / "sample"
    path.write_bytes(data)
    assert type_of(path).key == kind


def test_geopackage_is_told_from_other_sqlite_files(tmp_path: Path):
    for application_id, kind in ((0x47504B47, "gpkg"), (0, "sqlite")):
        path = tmp_path / f"{kind}.db"
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.execute("CREATE TABLE feature (id INTEGER)")
        connection.commit()
        connection.close()
        assert type_of(path).key == kind


def test_huge_list_of_members_is_not_read(tmp_path: Path, monkeypatch):
    path = tmp_path / "many"
    path.write_bytes(archive("OFD.xml", *(f"{count}.txt" for count in range(50))))
    assert type_of(path).key == "ofd"
    monkeypatch.setattr("domain.file_type.LARGEST_ZIP_DIRECTORY_BYTES", 2000)
    assert type_of(path).key == "zip"


def test_zip64_list_of_members_is_not_read(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = tmp_path / "large"
    path.write_bytes(archive("OFD.xml", "a.txt"))
    assert type_of(path).key == "zip"


def test_character_cut_at_the_end_of_the_probe_is_no_fault(tmp_path: Path):
    path = tmp_path / "long.txt"
    path.write_bytes(b"a" + "界".encode() * PROBE_BYTES)
    assert type_of(path).key == "txt"


def test_program_called_pdf_is_refused_as_a_program(tmp_path: Path):
    path = tmp_path / "x"
    path.write_bytes(PROGRAM)
    with pytest.raises(InvalidData, match=r"「申请表.pdf」扩展名是 .pdf，但内容是可执行程序"):
        check_type(path, "申请表.pdf")
    with pytest.raises(InvalidData, match="可执行程序"):
        check_type(path, "setup.exe")


def test_picture_called_pdf_is_refused_with_the_ending_it_should_have(tmp_path: Path):
    path = tmp_path / "x"
    path.write_bytes(png())
    with pytest.raises(InvalidData, match="改为 .png"):
        check_type(path, "宗地图.pdf")
    assert check_type(path, "宗地图.PNG").media_type == "image/png"


def test_kind_that_is_not_asked_for_is_refused_with_those_that_are(tmp_path: Path):
    path = tmp_path / "x"
    path.write_bytes(png())
    with pytest.raises(InvalidData, match="是PNG 图片，这里只收PDF 文档、Word 文档"):
        check_type(path, "a.png", allowed=("pdf", "docx"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("地块.xlsx", b"\x07\x01\x00\xfe" * 40, "扩展名是 .xlsx，但内容不是这种格式，没有接收。文件可能已损坏"),
        ("范围.geojson", b"hello", "扩展名是 .geojson，但内容是纯文本，没有接收。文件可能已损坏"),
        ("说明.pdf", b"hello", "请把扩展名改为 .txt"),
        ("空.pdf", b"", "扩展名是 .pdf，但内容是空文件，没有接收。请确认文件已经写完"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(tmp_path: Path, name: str, content: bytes, words: str):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(InvalidData, match=words):
        check_type(path, name)


def test_name_without_ending_and_empty_file_are_refused(tmp_path: Path):
    path = tmp_path / "x"
    path.write_bytes(pdf())
    with pytest.raises(InvalidData, match="没有扩展名"):
        check_type(path, "申请表")
    path.write_bytes(b"")
    with pytest.raises(InvalidData, match="空文件"):
        check_type(path, "申请表.pdf")
