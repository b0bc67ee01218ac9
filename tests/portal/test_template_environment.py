"""The template environment: strict, escaping, fragments that see components, and the frame of every page."""

import json
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import html5lib
import pytest
from bs4 import BeautifulSoup
from jinja2 import TemplateNotFound, UndefinedError
from jinja2_fragments import BlockNotFoundError

from portal.template_environment import Templates
from views.problem import Problem
from views.shell import Crumb, DistrictSwitch, Link, Notice, Person, Search, Shell


def url_for(name, **params):
    return "/" + "/".join([name, *map(str, params.values())])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "tag.html").write_text("{% macro tag(label) %}<b>{{ label }}</b>{% endmacro %}{% macro _inner() %}{% endmacro %}")
    return tmp_path


@pytest.fixture
def templates(folder):
    return Templates(url_for, lambda: date(2026, 11, 21), folder)


@pytest.fixture(scope="module")
def shipped():
    return Templates(url_for, lambda: date(2026, 11, 21))


def text(templates, source, **context):
    return templates.environment.from_string(source).render(context)


def test_missing_name_is_an_error(templates):
    with pytest.raises(UndefinedError, match="wanted"):
        text(templates, "{{ wanted }}")


def test_missing_template_is_an_error(templates):
    with pytest.raises(TemplateNotFound):
        templates.render("nowhere.html", {})
    assert not templates.has("nowhere.html")


def test_template_below_another_folder_is_not_there(templates, folder):
    (folder.parent / "secret.html").write_text("x")
    assert not templates.has("../secret.html")


def test_values_are_escaped(templates):
    assert text(templates, "{{ ui.tag(word) }}", word="<i>") == "<b>&lt;i&gt;</b>"


def test_block_rendered_alone_sees_components_and_context(templates, folder):
    (folder / "page.html").write_text("before {% block part %}{{ ui.tag(word) }}{% endblock %} after")
    assert templates.render("page.html", {"word": "甲"}, "part") == "<b>甲</b>"
    assert templates.render("page.html", {"word": "甲"}) == "before <b>甲</b> after"
    with pytest.raises(BlockNotFoundError):
        templates.render("page.html", {}, "other")


def test_unknown_component_names_what_there_is(templates):
    with pytest.raises(AttributeError, match="butten.*tag"):
        templates.components.macro("butten")


def test_private_macro_is_no_component(templates):
    assert templates.components.names() == {"tag": "components/tag.html"}


def test_one_name_twice_is_refused_at_start(folder):
    (folder / "components" / "label.html").write_text("{% macro tag(x) %}{% endmacro %}")
    with pytest.raises(ValueError, match="label.html.*tag.html"):
        Templates(url_for, lambda: date(2026, 11, 21), folder)


def test_url_leaves_out_what_is_not_given(templates):
    assert templates.url("cases", {"q": "练塘 A&B", "after": None, "light": ["red", "black"]}) == (
        "/cases?q=%E7%BB%83%E5%A1%98+A%26B&light=red&light=black")
    assert templates.url("case", number="QP-1") == "/case/QP-1"
    assert templates.href(Link("case", "办件", {"number": "QP-1"}, {"tab": "map"})) == "/case/QP-1?tab=map"


@pytest.mark.parametrize(("source", "value", "shown"), [
    ("{{ v|area_m2 }}", Decimal("28652.4"), "28,652.40 平方米"),
    ("{{ v|hectares }}", Decimal(28340), "2.8340 公顷"),
    ("{{ v|mu }}", Decimal(28340), "42.51 亩"),
    ("{{ v|money }}", Decimal(86420000), "86,420,000.00 元"),
    ("{{ v|percent }}", Decimal("0.986"), "98.6%"),
    ("{{ v|file_size }}", 412688, "403.0 KB"),
    ("{{ v|date_sentence }}", date(2026, 11, 24), "11 月 24 日（周二）"),
    ("{{ v|date_sentence }}", date(2027, 3, 31), "2027 年 3 月 31 日（周三）"),
    ("{{ v|date_table }}", date(2025, 12, 31), "2025-12-31"),
    ("{{ v|moment }}", datetime(2026, 11, 24, 1, 20, tzinfo=UTC), "2026-11-24 09:20"),
])
def test_filters(source, value, shown, templates):
    assert text(templates, source, v=value) == shown


def test_many_threads_get_their_own_context(shipped):
    """Renders with different words at the same time; each must see its own only."""
    wrong = []

    def work(word):
        for _ in range(30):
            page = shipped.render("errors/404.html", {"shell": Shell(word), "problem": Problem(404)})
            if f"<title>{word} · 规图</title>" not in page:
                wrong.append(word)

    threads = [threading.Thread(target=work, args=(f"第 {number} 人",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


FULL = Shell(
    "办件", audience="bench",
    nav=(Link("desk", "工作台", count=1038), Link("cases", "办件", is_current=True)),
    crumbs=(Crumb("待办", Link("desk", "待办")), Crumb("QP-2026-NZ-00126")),
    person=Person("陆明远（样例）", "区局用途管制科 · 审核", (Link("absences", "外出代理"),), "sign_out"),
    district=DistrictSwitch("青浦区", (Link("desk", "青浦区", is_current=True),)),
    search=Search("cases", "搜索办件、地块、单位", "泵站"), theme="dark", text_size="large", csrf_token="a'b\"c",
    notices=(Notice("good", "已提交。", "等待复核。", Link("case", "看办件", {"number": "1"})),),
    degraded=("市法人库连不上，预填的内容可能不全。",), is_demo=True, demo_date=date(2026, 12, 4),
    foot_links=(Link("accessibility", "无障碍说明"),), foot_text="工作日历 2026 年",
)


def page_of(shipped, shell, status=404):
    markup = shipped.render(f"errors/{status}.html", {"shell": shell, "problem": Problem(status, reference="7f31c2")})
    html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True).parse(markup)
    return BeautifulSoup(markup, "html5lib")


def test_frame_shows_what_the_shell_says(shipped):
    page = page_of(shipped, FULL)
    assert (page.html["lang"], page.html["data-theme"], page.html["data-text"]) == ("zh-Hans-CN", "dark", "large")
    assert page.html["data-density"] == "compact" and page.body["class"] == ["bench"]
    assert page.select_one(".skip")["href"] == "#main" and page.select_one("main#main") is not None
    assert [link.get("aria-current") for link in page.select(".mainnav a")] == [None, "page"]
    assert page.select_one(".mainnav .count").get_text() == "1,038"
    assert "当前日期已调整为 2026 年 12 月 4 日" in page.select_one(".banner").get_text()
    messages = page.select_one("#page-messages").get_text()
    assert "市法人库连不上" in messages and "已提交。" in messages
    assert page.select_one("#page-search")["value"] == "泵站"


def test_density_of_the_person_goes_before_that_of_the_audience(shipped):
    assert page_of(shipped, replace(FULL, density="comfortable")).html["data-density"] == "comfortable"
    assert page_of(shipped, Shell("首页")).html["data-density"] == "comfortable"


def test_htmx_sends_the_token_and_never_evaluates(shipped):
    page = page_of(shipped, FULL)
    assert json.loads(page.body["hx-headers"]) == {"X-CSRF-Token": FULL.csrf_token}
    settings = json.loads(page.select_one("meta[name=htmx-config]")["content"])
    assert settings["allowEval"] is False and settings["allowScriptTags"] is False
    assert settings["includeIndicatorStyles"] is False and settings["selfRequestsOnly"] is True


def test_visitor_gets_no_token_and_no_empty_parts(shipped):
    page = page_of(shipped, Shell("首页", sign_in=Link("sign_in", "登录")))
    assert not page.body.has_attr("hx-headers") and page.select(".banner, .mainnav, .crumbs") == []
    assert page.select_one(".tools a")["href"] == "/sign_in"


def test_everything_loaded_is_our_own_and_named_by_content(shipped):
    page = page_of(shipped, FULL)
    loaded = [tag["src"] for tag in page.select("script")] + [tag["href"] for tag in page.select("link")]
    assert loaded and all(url.startswith("/static/") and "?v=" in url for url in loaded)
    assert all(not script.get_text() for script in page.select("script"))


STATUSES = [403, 404, 409, 410, 413, 422, 429, 500, 503]


@pytest.mark.parametrize("status", STATUSES)
def test_error_page_says_what_why_and_what_to_do(status, shipped):
    page = page_of(shipped, Shell("出错"), status)
    sentences = [line.get_text() for line in page.select("main .tight > p")][:2]
    assert page.h1.get_text() and len(page.select("h1")) == 1
    assert all(len(sentence) > 10 and sentence.endswith("。") for sentence in sentences)
    assert "7f31c2" in page.main.get_text()
    for forbidden in ("系统异常", "操作失败", "输入有误", "！", "请您"):
        assert forbidden not in page.main.get_text()


@pytest.mark.parametrize("status", STATUSES)
def test_error_fragment_is_a_notice_with_the_reason_of_the_error(status, shipped):
    problem = Problem(status, "用地面积比合同多 312.40 平方米。", "请先办合同变更。", is_fragment=True)
    part = BeautifulSoup(shipped.render(problem.template, {"shell": Shell(""), "problem": problem}, "problem"), "html5lib").body
    assert part.select_one(".notice.bad") is not None and part.select("h1, main") == []
    assert "用地面积比合同多 312.40 平方米。请先办合同变更。" in part.get_text()
