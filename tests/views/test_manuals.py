"""The users' manuals: every file is listed and shown to everybody, and they name only what there is."""

import re

import pytest
from bs4 import BeautifulSoup
from starlette.testclient import TestClient

from domain.manual import FOLDER, manuals
from portal.command_line import COMMANDS
from portal.settings import Settings
from views.manuals import _rendered

NAMES_OF_DATABASE_TOOLS = {"CREATE", "EXTENSION", "VACUUM", "INTO"}


@pytest.fixture
def help_page(app):
    client = TestClient(app, base_url="http://testserver")
    return lambda path: BeautifulSoup(client.get(path).text, "html.parser")


def test_every_file_is_listed_and_every_listed_file_is_shown(help_page):
    assert {each.file for each in manuals()} == {file.name for file in FOLDER.glob("*.md")}
    links = [a["href"] for a in help_page("/help").select("main a[href^='/help/']")]
    assert links == [f"/help/{each.key}" for each in manuals()]
    for each in manuals():
        shown = help_page(f"/help/{each.key}")
        assert shown.h1.get_text() == each.title
        parts = [heading["id"] for heading in shown.select(".manual h2")]
        assert [a["href"] for a in shown.select("aside a[href^='#']")] == [f"#{part}" for part in parts] != []


def test_a_manual_there_is_not_is_not_found(app):
    assert TestClient(app, base_url="http://testserver").get("/help/nothing").status_code == 404


def test_markup_in_a_text_stays_text():
    _, body = _rendered("## 一\n\n<script>alert(1)</script>\n\n[去](javascript:alert(1))")
    found = BeautifulSoup(body, "html.parser")
    assert found.script is None and found.a is None and "alert(1)" in found.get_text()


@pytest.mark.parametrize("manual", manuals(), ids=lambda each: each.key)
def test_a_manual_names_only_settings_and_commands_there_are(manual):
    text = (FOLDER / manual.file).read_text("utf-8")
    named = set(re.findall(r"`([A-Z][A-Z_]{3,})`", text)) - NAMES_OF_DATABASE_TOOLS
    assert {name.lower() for name in named} <= set(Settings.__dataclass_fields__)
    commands = set(re.findall(r"portal ([a-z]+)", text))
    assert commands <= {each.name for each in COMMANDS}
