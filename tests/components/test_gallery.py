"""The gallery in a real browser: axe finds nothing in any theme, at desk and at phone width, and nothing overflows."""

import json

import pytest

from portal.assets import ROOT

pytestmark = pytest.mark.e2e
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def look(browser, gallery_url):
    """Opens the gallery; whatever the browser complains about is collected."""
    opened = []

    def go(viewport, query="", **options):
        context = browser.new_context(viewport=viewport, locale="zh-CN", **options)
        opened.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{gallery_url}?{query}", wait_until="networkidle")
        return page

    yield go
    for context in opened:
        context.close()


def violations(page):
    page.evaluate("() => document.querySelectorAll('main details:not(.menu)').forEach(part => { part.open = true; })")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']}).then(result => result.violations)")
    return [f"{fault['id']}: {node['html'][:160]}" for fault in found for node in fault["nodes"]]


def overflow(page):
    """How many pixels the page is wider than the window."""
    return page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_axe_finds_nothing(theme, viewport, look):
    page = look(viewport, f"theme={theme}")
    assert violations(page) == []
    assert page.complaints == []
    assert overflow(page) == 0


def test_axe_finds_a_fault_that_is_there(look):
    page = look(DESK)
    page.evaluate("() => document.querySelector('main label').removeAttribute('for')")
    assert any(fault.startswith(("label", "select-name")) for fault in violations(page))


@pytest.mark.parametrize("density", ["comfortable", "compact"])
@pytest.mark.parametrize("width", [320, 720])
def test_larger_text_on_a_narrow_window_does_not_overflow(width, density, look):
    """320 px is 1280 px at 400 %, the width WCAG 1.4.10 asks for; the larger text comes on top."""
    assert overflow(look({"width": width, "height": 900}, f"text_size=larger&density={density}")) == 0


def test_gallery_reads_without_script(look):
    page = look(DESK, java_script_enabled=False)
    assert page.get_by_role("heading", level=1).inner_text() == "组件"
    assert page.locator("#keyboard-help").is_hidden() and page.get_by_role("button", name="键盘操作").is_hidden()


def test_help_opens_by_key_and_gives_focus_back(look):
    page = look(DESK)
    page.get_by_role("button", name="键盘操作").focus()
    page.keyboard.press("?")
    assert page.locator("#keyboard-help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#keyboard-help").is_hidden()
    assert page.evaluate("() => document.activeElement.textContent") == "键盘操作"


def test_single_keys_can_be_switched_off(look):
    page = look(DESK)
    page.keyboard.press("?")
    page.locator("#keyboard-help input").uncheck()
    page.get_by_role("button", name="关闭").first.press("Enter")
    page.keyboard.press("j")
    assert page.locator("tr[aria-selected]").count() == 0
    page.reload()
    page.keyboard.press("?")
    assert page.locator("#keyboard-help").is_hidden()


def test_rows_are_walked_by_key_but_not_while_typing(look):
    page = look(DESK)
    page.keyboard.press("j")
    rows = page.locator("table[data-rows] tbody tr")
    assert rows.first.get_attribute("aria-selected") == "true"
    page.keyboard.press("j")
    assert rows.nth(1).get_attribute("aria-selected") == "true"
    page.locator("#unit_name").fill("")
    page.locator("#unit_name").press("k")
    assert page.locator("#unit_name").input_value() == "k"
    assert rows.nth(1).get_attribute("aria-selected") == "true"


def test_leaving_is_asked_about_only_while_words_are_unsaved(look):
    page = look(DESK)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.evaluate("() => { document.querySelector('form.filters').dataset.unsaved = ''; }")
    page.reload()
    assert asked == []
    page.evaluate("() => { document.querySelector('form.filters').dataset.unsaved = ''; }")
    page.locator("form.filters select").first.click()
    page.locator("form.filters select").first.select_option("dark")
    page.reload()
    assert asked == ["beforeunload"]


def test_dialog_opens_over_the_page_and_closes_without_leaving(look):
    page = look(DESK)
    page.evaluate("""() => { document.getElementById('withdraw').close();
        document.querySelector('[data-macro=link_button] a').dataset.dialog = 'withdraw'; }""")
    page.get_by_role("link", name="去补正").first.click()
    assert page.locator("#withdraw").is_visible() and page.evaluate("() => document.querySelector('#withdraw').matches(':modal')")
    page.locator("#withdraw [data-close]").click()
    assert page.locator("#withdraw").is_hidden() and "#" not in page.url


def test_lights_keep_their_shapes_in_forced_colours(look):
    page = look(DESK, forced_colors="active")
    shapes = page.evaluate("""() => [...document.querySelectorAll('[data-macro=light] .light')].map(light => {
        const shape = getComputedStyle(light, '::before'); return [shape.clipPath, shape.forcedColorAdjust]; })""")
    assert len({shape for shape, _ in shapes}) == len(shapes) == 5, json.dumps(shapes)
    assert {adjust for _, adjust in shapes} == {"none"}


def test_paper_has_no_buttons_and_repeats_heads(look):
    page = look({"width": 700, "height": 900})
    page.emulate_media(media="print")
    assert page.locator(".mainnav:visible, .filters:visible, [data-needs-script]:visible, .btn:visible, .index:visible").count() == 0
    assert page.evaluate("() => getComputedStyle(document.querySelector('.data thead')).display") == "table-header-group"
