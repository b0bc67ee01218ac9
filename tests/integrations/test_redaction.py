"""Personal data and secrets do not stay in texts that are kept."""

import json

import pytest

from integrations.redaction import PERSONAL_FIELDS, SECRET_FIELDS, readable, redact


@pytest.mark.parametrize("name", [*PERSONAL_FIELDS, *(name for name in SECRET_FIELDS if name != "code")])
def test_named_fields_are_blacked_out_in_json(name):
    text = json.dumps({"a": 1, name: '张三"李四\\', "b": "留下"}, ensure_ascii=False)
    hidden = redact(text)
    assert "张三" not in hidden and "李四" not in hidden
    assert json.loads(hidden)["b"] == "留下"


def test_an_answer_that_was_cut_off_is_blacked_out():
    assert "张三" not in redact('{"handler_name": "张三丰收')


def test_the_code_of_an_envelope_is_no_secret():
    assert redact('{"code": "TAX-404"}') == '{"code": "TAX-404"}'


def test_form_fields_and_queries_are_blacked_out():
    hidden = redact("grant_type=authorization_code&code=abc123&code_verifier=xyz789")
    assert "abc123" not in hidden and "xyz789" not in hidden and "authorization_code" in hidden
    assert "secret1" not in redact("/end-session?id_token_hint=secret1&x=1")


@pytest.mark.parametrize("number", ["13812345678", "310101199001011234", "31010119900101123X"])
def test_numbers_of_persons_are_found_anywhere(number):
    assert number not in redact(f"经办人电话或证件 {number}，请核对")


@pytest.mark.parametrize("number", ["23812345678", "1381234567", "138123456789", "仿真-310000-2026-000001"])
def test_other_numbers_stay(number):
    assert number in redact(f"编号 {number}")


def test_a_binary_body_is_told_by_its_size():
    assert readable(b"PK\x03\x04\xff\xfe" + bytes(100)) == "（二进制内容，106 字节）"


def test_a_long_text_is_shortened_between_characters():
    text = readable("规".encode() * 5000, limit=10)
    assert text == "规" * 10


def test_a_text_cut_within_a_character_is_still_text():
    assert readable("规图".encode()[:-1]) == "规"
