"""Filing: sections saved as they are typed, two windows, groups, materials, handing in once, corrections, wrong people."""

from dataclasses import replace

import pytest

from domain.case import correction, operations
from domain.errors import OutsideSystemDown
from domain.facts import PROVIDERS, fact
from domain.office import Office
from portal.office import open_office
from portal.settings import PROJECT_DIR, read_settings
from tests.case_types import tree_permit
from tests.domain.case.conftest import PNG, applicant, filing, office, officers, tree_office  # noqa: F401
from tests.views.reading import fields_of, heading, link, read, words

GOOD = {"project_name": "泵站工程", "district": "310118", "area": "120.50", "cuts_trees": "false"}
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + b"\x00" * 200


class Window:
    """One browser window on one filing."""

    def __init__(self, client, filing):  # noqa: F811
        self.browser, self.filing, self.code = client, filing, filing.case.draft_number
        self.held = {}

    def url(self, *rest):
        return "/".join(("/filing", self.code, *rest))

    def open(self, section="project"):
        page = read(self.browser.get(self.url("form", section)))
        self.held = fields_of(page.select_one("#case-form"))
        return page

    def save(self, section="project", then="next", **typed):
        return self.browser.post(self.url("form", section), {**self.held, "_then": then, **typed})

    def autosave(self, section="project", **typed):
        posted = {**self.held, **typed}
        return self.browser.post(self.url("form", section, "autosave"), posted, headers={"HX-Request": "true"})

    def upload(self, name, content, slot="plan", **kwargs):
        return self.browser.post(self.url("materials", slot), files={"file": (name, content)}, **kwargs)

    def submit(self, action="submit"):
        return self.browser.post(self.url("submit"), {**fields_of(self.check().select_one("form[action$='/submit']")), "action": action})

    def check(self):
        return read(self.browser.get(self.url("check")))


@pytest.fixture
def client(sign_in, applicant):  # noqa: F811
    return sign_in(applicant)


@pytest.fixture
def window(client, filing):  # noqa: F811
    return Window(client, filing)


@pytest.fixture
def complete(window):
    """A filing with everything in it."""
    assert window.filing.fill() == {}
    window.filing.attach()
    return window


def states(page):
    return {words(each.a): words(each.select_one(".tag")) for each in page.select("ol.tasks li")}


def test_the_contents_say_what_is_open_and_what_is_done(window):
    page = read(window.browser.get(window.url()))
    assert states(page) == {"项目": "未开始", "补植": "可不填", "材料": "未开始", "核对并提交": "还不能提交"}
    assert "踏勘" not in words(page.main)  # the officer's own section
    window.filing.fill()
    window.filing.attach()
    assert states(read(window.browser.get(window.url()))) == {"项目": "已填好", "补植": "可不填", "材料": "已填好", "核对并提交": "可以提交"}


def test_saving_goes_on_to_the_next_part_and_keeps_what_was_typed(window):
    window.open()
    answer = window.save(**GOOD)
    assert (answer.status_code, answer.headers["location"]) == (303, window.url("form", "plants"))
    assert window.filing.case.values["area"] == "120.50"
    assert window.filing.case.title == "泵站工程"
    window.open("plants")
    assert window.save("plants").headers["location"] == window.url("materials")


def test_saving_names_every_fault_at_its_field_and_keeps_the_good_values(window):
    window.open()
    page = read(window.save(**{**GOOD, "area": "很大", "district": ""}), 422)
    links = {each["href"]: words(each) for each in page.select("#error-summary a")}
    assert list(links) == ["#district", "#area"]
    assert "「很大」不是数字" in links["#area"]
    assert page.select_one("#area")["value"] == "很大" and page.select_one("#area")["aria-invalid"] == "true"
    assert window.filing.case.values["project_name"] == "泵站工程"


def test_a_draft_for_later_is_saved_though_much_is_missing(window):
    window.open()
    answer = window.save(then="later", project_name="泵站工程")
    assert answer.status_code == 303
    page = read(window.browser.get(answer.headers["location"]))
    assert "已存为草稿" in words(page.select_one("#page-messages"))
    assert states(page)["项目"] == "还差 3 项"


def test_a_choice_that_asks_for_more_shows_it_without_script(window):
    page = window.open()
    assert page.select_one("#tree_count") is None
    answer = window.save(**{**GOOD, "cuts_trees": "true"})
    assert answer.headers["location"] == window.url("form", "project") + "?more=1"
    page = read(window.browser.get(answer.headers["location"]))
    assert page.select_one("#tree_count") is not None and "又有几项要填" in words(page.main)
    window.held = fields_of(page.select_one("#case-form"))
    page = read(window.save(), 422)
    assert [each["href"] for each in page.select("#error-summary a")] == ["#tree_count"]


def test_autosave_says_when_it_saved_and_hands_over_the_new_version(window):
    window.open()
    answer = read(window.autosave(project_name="泵站"))
    assert "已自动保存" in words(answer.select_one("#autosave"))
    fresh = answer.select_one("#case-form-version")
    assert fresh["hx-swap-oob"] == "true" and int(fresh["value"]) == window.filing.case.version
    assert window.filing.case.values["project_name"] == "泵站"


def test_autosave_names_what_it_did_not_keep(window):
    window.open()
    answer = read(window.autosave(project_name="泵站", area="很大"))
    assert answer.select_one("#autosave a[href='#area']") is not None
    assert window.filing.case.values == {"project_name": "泵站"}


def test_autosave_brings_the_form_when_a_choice_asks_for_more(window):
    window.open()
    answer = window.autosave(cuts_trees="true")
    page = read(answer)
    assert answer.headers["HX-Retarget"] == "#case-form"
    assert page.select_one("form#case-form #tree_count") is not None and page.select_one("#error-summary") is None


def test_an_autosave_that_the_browser_gave_up_on_is_no_strange_window(window):
    window.open()
    window.autosave(project_name="泵站")  # the answer never arrived: the page still holds the old version
    assert window.autosave(project_name="泵站工程").status_code == 200
    assert window.save(**GOOD).status_code == 303


def test_of_two_windows_the_second_loses_nothing(client, filing):  # noqa: F811
    first, second = Window(client, filing), Window(client, filing)
    first.open()
    second.open()
    assert first.save(**GOOD).status_code == 303
    page = read(second.save(**{**GOOD, "project_name": "另一个名字"}), 409)
    assert "你填的：另一个名字 已保存的：泵站工程" in words(page.select_one("section.notice"))
    assert page.select_one("#project_name")["value"] == "另一个名字"
    assert filing.case.values["project_name"] == "泵站工程"
    second.held = fields_of(page.select_one("#case-form"))
    assert second.save().status_code == 303  # on purpose now
    assert filing.case.values["project_name"] == "另一个名字"


def test_an_autosave_from_a_stale_window_saves_nothing_and_says_so(client, filing):  # noqa: F811
    first, second = Window(client, filing), Window(client, filing)
    first.open()
    second.open()
    first.save(**GOOD)
    answer = second.autosave(project_name="另一个名字")
    assert answer.headers["HX-Retarget"] == "#autosave"
    assert "没有保存" in words(read(answer, 409).select_one("#autosave"))
    assert filing.case.values["project_name"] == "泵站工程"


def test_entries_of_a_group_are_added_and_removed_without_script(window):
    window.open("plants")
    answer = window.browser.post(window.url("form", "plants"), {**window.held, "_add": "plants"})
    assert answer.headers["location"] == window.url("form", "plants") + "#plants-0"
    page = window.open("plants")
    assert words(page.select_one(".group h3")) == "补植点 1，共 1 项"
    page = read(window.save("plants"), 422)
    assert [each["href"] for each in page.select("#error-summary a")] == ["#plants-0-place", "#plants-0-count"]
    window.browser.post(window.url("form", "plants"), {**fields_of(page.select_one("#case-form")), "_remove": "plants-0"})
    assert window.open("plants").select(".group") == []


def test_entries_of_a_group_change_in_place_with_htmx(window):
    window.open("plants")
    answer = window.browser.post(window.url("form", "plants"), {**window.held, "_add": "plants"}, headers={"HX-Request": "true"})
    page = read(answer)
    assert page.select_one("form#case-form .group") is not None and page.select_one("header.top") is None


def test_a_field_the_form_has_not_is_refused(window):
    window.open()
    page = read(window.save(outcome="granted"), 422)
    assert "表单里没有「outcome」" in words(page.select_one("#error-summary"))


@pytest.mark.parametrize("path", ["form/check", "form/nothing"])
def test_sections_of_others_and_unknown_ones_are_not_found(window, path):
    assert read(window.browser.get(window.url(path)), 404)


def test_a_file_is_taken_in_replaced_with_its_older_version_kept_and_removed(window):
    assert window.upload("平面图.png", PNG).headers["location"] == window.url("materials") + "#material-plan"
    page = read(window.browser.get(window.url("materials")))
    slot = page.select_one("#material-plan")
    assert "已上传 1 个" in words(slot) and slot.select_one("input[multiple]") is None
    replace_url = slot.select_one("form[action$='/replace']")["action"]
    window.browser.post(replace_url, files={"file": ("平面图二.pdf", b"%PDF-1.7\n%%EOF")})
    slot = read(window.browser.get(window.url("materials"))).select_one("#material-plan")
    assert "平面图二.pdf" in words(slot) and "第 1 版 平面图.png" in words(slot)
    window.browser.post(slot.select_one("form[action$='/remove']")["action"])
    assert "缺" in words(read(window.browser.get(window.url("materials"))).select_one("#material-plan h2"))


@pytest.mark.parametrize(("name", "content", "why"), [
    ("图纸.pdf", EXE, "图纸.pdf"),
    ("图\u202efdp.png", PNG, "控制字符"),
    ("大图.png", PNG + b"\0" * 1024 * 1024, "超过 1.0 MB"),
    ("空.png", b"", "空"),
    ("表.docx", PNG, "表.docx"),
])
def test_a_file_that_does_not_fit_is_refused_at_its_slot(window, name, content, why):
    page = read(window.upload(name, content), 422)
    assert why in words(page.select_one("#material-plan .error"))
    assert page.select_one("#error-summary a")["href"] == "#material-plan"
    fragment = read(window.upload(name, content, headers={"HX-Request": "true"}), 422)
    assert why in words(fragment.select_one("#material-plan .error")) and fragment.select_one("header.top") is None


def test_of_several_files_the_good_ones_are_kept(window):
    files = [("file", ("一.png", PNG)), ("file", ("二.png", b"nothing of the kind"))]
    page = read(window.browser.post(window.url("materials", "photo"), files=files), 422)
    slot = page.select_one("#material-photo")
    assert "一.png" in words(slot) and "二.png" in words(slot.select_one(".error"))


def test_no_file_and_an_unknown_slot_are_answered_plainly(window):
    assert "没有选择文件" in words(read(window.browser.post(window.url("materials", "plan")), 422).select_one("#material-plan"))
    assert read(window.upload("一.png", PNG, slot="nothing"), 404)


def test_the_check_links_each_fault_to_its_place(window):
    page = window.check()
    assert heading(page) == "还有5处要改，改好后才能提交"
    links = [each["href"] for each in page.select("#error-summary a")]
    assert links[0] == window.url("form", "project") + "?check=1#project_name"
    assert links[-1] == window.url("materials") + "#material-plan"
    assert page.select_one("button[value=submit]").has_attr("disabled")
    there = read(window.browser.get(links[0].split("#")[0]))
    assert there.select_one("#project_name")["aria-invalid"] == "true"


def test_handing_in_incomplete_is_refused_and_nothing_changes(window):
    page = read(window.submit(), 422)
    assert len(page.select("#error-summary li")) == 5
    assert window.filing.case.status == "draft"


def test_handing_in_gives_a_receipt_and_a_second_press_the_same_one(complete):
    posted = {**fields_of(complete.check().select_one("form[action$='/submit']")), "action": "submit"}
    answers = [complete.browser.post(complete.url("submit"), posted) for _press in range(2)]
    assert [(each.status_code, each.headers["location"]) for each in answers] == [(303, complete.url("receipt"))] * 2
    page = read(complete.browser.get(complete.url("receipt")))
    assert heading(page) == "申请已收到" and complete.code in words(page.main) and page.select_one("svg.qr")
    assert complete.filing.case.status == "open"
    assert len([task for task in complete.filing.tasks() if task.step == "window"]) == 1


def test_a_gate_that_refuses_shows_its_reason_with_both_values(complete):
    complete.filing.fill(area="1000.01")
    page = read(complete.submit(), 422)
    assert heading(page) == "现在不能提交"
    assert "1,000.01" in words(page.main) or "1000.01" in words(page.main)
    assert complete.filing.case.status == "draft"


def test_there_is_no_receipt_before_handing_in(window):
    assert read(window.browser.get(window.url("receipt")), 404)


def test_after_handing_in_the_form_is_closed(complete):
    complete.open()
    complete.submit()
    assert complete.browser.get(complete.url(), follow_redirects=False).headers["location"] == f"/track/{complete.code}"
    assert read(complete.save(**GOOD), 409)
    assert read(complete.upload("一.png", PNG, slot="photo"), 409)
    assert read(complete.browser.post(complete.url("sources")), 409)


def test_an_old_check_page_does_not_hand_in(complete):
    form = fields_of(complete.check().select_one("form[action$='/submit']"))
    assert read(complete.browser.post(complete.url("submit"), {**form, "task": "999999", "action": "submit"}), 409)
    assert read(complete.browser.post(complete.url("submit"), {**form, "version": "99", "action": "submit"}), 409)
    assert read(complete.browser.post(complete.url("submit"), {**form, "action": "nothing"}), 404)


def test_other_people_find_nothing(window, sign_in, person):
    other = sign_in(person("applicant", enterprise="别的公司（样例）"))
    for path in ("", "form/project", "materials", "check", "receipt", "discard"):
        assert read(other.get(window.url(path).rstrip("/")), 404), path
    for path in ("form/project", "form/project/autosave", "submit", "sources", "materials/plan", "discard"):
        assert read(other.post(window.url(path)), 404), path
    assert read(sign_in(person("window", district="310118")).get(window.url()), 403)


def test_a_draft_is_deleted_after_asking_and_a_filed_case_is_not(complete, client):
    assert complete.code in words(read(client.get(complete.url("discard"))).main)
    assert complete.filing.case.status == "draft"
    assert client.post(complete.url("discard")).headers["location"] == "/my/cases?said=discarded"
    assert read(client.get(complete.url()), 404)
    assert complete.code not in words(read(client.get("/my/cases")).main)


def test_a_filed_case_is_not_deleted(complete):
    complete.submit()
    assert read(complete.browser.post(complete.url("discard")), 409)
    assert complete.filing.case.status == "open"


@pytest.fixture
def asked(complete, officers):  # noqa: F811
    """A filing of which area and plan are to be corrected."""
    complete.submit()
    items = [{"field": "area", "what": "与平面图不符"}, {"material": "plan", "what": "缺少比例尺"}]
    complete.filing.do(correction.ask_correction, officers["window"], complete.filing.task("window"), items, "请在五日内补正")
    return complete


def test_a_correction_leads_to_what_was_asked_for(asked):
    page = read(asked.browser.get(asked.url()))
    assert {words(each.a): words(each.select_one(".hint")) for each in page.select("section.corners li")} == {
        "占用面积": "与平面图不符", "平面图": "缺少比例尺",
    }
    assert link(page, "占用面积") == asked.url("form", "project") + "#area"
    assert states(page) == {"项目": "还有 1 项没改", "材料": "还有 1 项没改", "核对并提交补正": "还有没改的"}
    notice = asked.check().select_one("section[aria-label=没有改动的补正内容]")
    assert [words(each) for each in notice.select("a")] == ["占用面积", "平面图"]


def test_in_a_correction_only_what_was_asked_for_is_open(asked):
    page = asked.open()
    assert not page.select_one("#area").has_attr("readonly")
    assert "补正要求：与平面图不符" in words(page.select_one("#area-field"))
    assert page.select_one("#project_name").has_attr("readonly")
    assert "不在这次补正的范围" in words(page.select_one("#project_name-field"))
    assert read(asked.browser.get(asked.url("form", "plants")), 404)
    page = read(asked.save(project_name="改名"), 422)
    assert page.select_one("#error-summary a")["href"] == "#project_name"
    assert asked.filing.case.values["project_name"] == "泵站工程"
    assert read(asked.upload("一.png", PNG, slot="photo"), 409)


def test_an_answered_correction_goes_back_with_a_receipt(asked):
    asked.open()
    assert asked.save(area="130").status_code == 303
    slot = read(asked.browser.get(asked.url("materials"))).select_one("#material-plan")
    assert "缺少比例尺" in words(slot)
    asked.browser.post(slot.select_one("form[action$='/replace']")["action"], files={"file": ("新图.pdf", b"%PDF-1.7\n%%EOF")})
    assert set(states(read(asked.browser.get(asked.url()))).values()) == {"已填好", "可以提交"}
    answer = asked.submit("answer_correction")
    assert answer.headers["location"] == asked.url("receipt")
    assert asked.filing.case.status == "open" and asked.filing.case.values["area"] == "130.00"
    assert heading(read(asked.browser.get(asked.url("receipt")))) == "补充的内容已收到"


def test_a_returned_filing_says_why_and_takes_files_before_anything_is_typed(complete, officers):  # noqa: F811
    complete.submit()
    complete.filing.do(operations.send_back, officers["window"], complete.filing.task("window"), "apply", "面积与图不符")
    page = read(complete.browser.get(complete.url()))
    assert "面积与图不符" in words(page.select_one(".notice.warn"))
    assert complete.upload("现场.png", PNG + b"\0", slot="photo").status_code == 303
    assert complete.submit().headers["location"] == complete.url("receipt")
    assert complete.filing.case.status == "open"


ANSWERS: list = []
"""What the source of the test says next: a mapping, or an error to raise."""


def _ask_holder(ask):
    found = ANSWERS[-1]
    if callable(found):
        return found(ask.values)
    if isinstance(found, Exception):
        raise found
    return found


@pytest.fixture(scope="session")
def asking_office(tmp_path_factory) -> Office:
    """The same case type with one field that a partner fills in."""
    if "test_holder" not in PROVIDERS:
        fact("test_holder", title="测试登记簿", gives={"holder": "text"}, outside=True)(_ask_holder)
    folder = tmp_path_factory.mktemp("asking_types")
    tree_permit.write(folder)
    form = folder / "tree_permit" / "form.yaml"
    field = "      - {key: holder, label: 权属单位, type: text, prefill: {from: test_holder.holder, change: true, else: 未取得，可手工填写}}\n"
    form.write_text(form.read_text("utf-8").replace("  - key: plants", f"{field}  - key: plants"), "utf-8")
    settings = read_settings({"VAR_DIR": str(folder / "var"), "DEMO": "1", "PARTNERS_URL": "http://127.0.0.1:9"})
    return open_office(settings, case_types=folder, rule_folders=(PROJECT_DIR / "rules" / "sets", folder))


class TestPrefill:
    """What a partner knows is filled in with its source; while it is down the draft opens all the same."""

    @pytest.fixture
    def office(self, asking_office, settings):
        from domain.file_store import FileStore

        return replace(asking_office, files=FileStore(settings.var_dir / "files"), caches={})

    def start(self, client):
        return client.post("/hall/tree_permit/start").headers["location"]

    def test_a_known_value_stands_in_the_form_with_its_source(self, client):
        ANSWERS.append({"holder": "测试公司"})
        page = read(client.get(self.start(client) + "/form/project"))
        assert page.select_one("#holder")["value"] == "测试公司"
        assert "来自测试登记簿" in words(page.select_one("#holder-prefill"))

    def test_saving_asks_again_by_what_was_typed_even_if_autosave_was_first(self, client):
        ANSWERS.append(lambda values: {"holder": f"{values['project_name']}的业主"} if values.get("project_name") else {})
        address = self.start(client)
        assert "还没有取到测试登记簿的内容" in words(read(client.get(address)).main)
        form = fields_of(read(client.get(address + "/form/project")).select_one("#case-form"))
        client.post(address + "/form/project/autosave", {**form, "project_name": "泵站"}, headers={"HX-Request": "true"})
        assert read(client.get(address + "/form/project")).select_one("#holder")["value"] == ""
        page = read(client.post(address + "/form/project", {**form, "project_name": "泵站", "_then": "next"}), 422)
        assert page.select_one("#holder")["value"] == "泵站的业主"

    def test_a_draft_opens_while_the_partner_is_down_and_reads_it_again_later(self, client):
        ANSWERS.append(OutsideSystemDown("测试登记簿没有应答"))
        address = self.start(client)
        page = read(client.get(address))
        assert "还没有取到测试登记簿的内容" in words(page.select_one("section.notice"))
        assert "未取得，可手工填写" in words(read(client.get(address + "/form/project")).select_one("#holder-field"))
        assert client.post(address + "/sources").headers["location"] == address + "?said=down"
        ANSWERS.append({"holder": "测试公司"})
        assert client.post(address + "/sources").headers["location"] == address + "?said=read"
        assert read(client.get(address)).select("section.notice") == []
        assert read(client.get(address + "/form/project")).select_one("#holder")["value"] == "测试公司"
