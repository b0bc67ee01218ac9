"""Every component has its page of words, and every example of it is sound HTML under the content policy."""

import re
from collections import Counter

import html5lib
import pytest
from bs4 import BeautifulSoup

from views.gallery import FOLDER, Component, Example, MacroExamples, components

MACROS = [(component, macro) for component in components() for macro in component.macros]
EXAMPLES = [(macro.name, example) for _, macro in MACROS for example in macro.examples]


def drawn(templates, name: str, example: Example) -> str:
    source = '{% from "gallery/example.html" import gallery_example %}{{ gallery_example(name, example) }}'
    return templates.environment.from_string(source).render(name=name, example=example)


def test_every_file_of_components_has_its_examples():
    assert {file.stem for file in FOLDER.glob("*.html")} == {file.stem for file in FOLDER.glob("*.yaml")}


def test_every_macro_is_described_and_nothing_else(templates):
    described = {macro.name: f"components/{component.key}.html" for component, macro in MACROS}
    assert described == templates.components.names()


@pytest.mark.parametrize(("component", "macro"), MACROS, ids=lambda part: getattr(part, "name", ""))
def test_parameters_are_those_of_the_macro(component: Component, macro: MacroExamples, templates):
    assert set(macro.parameters) == set(templates.components.macro(macro.name).arguments)
    assert component.title and component.meaning and macro.meaning and macro.examples
    assert all(str(meaning).strip() for meaning in macro.parameters.values())


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{name}-{example.title}" for name, example in EXAMPLES])
def test_example_is_sound_html(name, example, templates):
    text = drawn(templates, name, example)
    html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True).parseFragment(text, container="div")
    page = BeautifulSoup(text, "html5lib")
    ids = Counter(tag["id"] for tag in page.select("[id]"))
    assert [key for key, count in ids.items() if count > 1] == []
    assert not re.search(r"<style|<script|\sstyle=|\son[a-z]+=", text)
    for tag in page.select("[aria-describedby], [aria-labelledby]"):
        named = f"{tag.get('aria-describedby', '')} {tag.get('aria-labelledby', '')}".split()
        assert set(named) <= set(ids), f"{tag.name} names an element that is not there: {named}"


def test_ids_differ_between_examples(templates):
    """The gallery shows all examples on one page, so an id may stand in one example only."""
    ids = Counter(
        tag["id"] for name, example in EXAMPLES
        for tag in BeautifulSoup(drawn(templates, name, example), "html5lib").select("[id]")
    )
    assert [key for key, count in ids.items() if count > 1] == []


def test_people_and_firms_of_the_examples_are_marked_as_samples():
    text = "".join(file.read_text("utf-8") for file in FOLDER.glob("*.yaml"))
    for name in ("沈青禾", "顾思齐", "周筱雨", "有限公司"):
        assert all(rest.startswith("（样例）") for rest in text.split(name)[1:]), name
