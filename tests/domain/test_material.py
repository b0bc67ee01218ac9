"""Files in the slots of a case: taken by content, replaced and never overwritten, only by those who may."""

from typing import Any

import pytest

from domain import material
from domain.case.tables import Case, CaseCorrection, Material, Task
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.material import Upload, add_material, receive, remove_material, replace_material
from rules.case_type.paper import MaterialSlot
from tests.domain.form_sample import one_field
from tests.domain.keeping_office import APPLICANT, BEGUN, PDF, STRANGER, KeepingOffice

pytest_plugins = ["tests.domain.keeping_fixtures"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return request.param


SLOT = MaterialSlot("application", "申请表", ("pdf", "jpg"), required=True, max_mb=1)


def upload(
    office: KeepingOffice, content: bytes = PDF, name: str = "申请表.pdf", slot: str = "application"
) -> Upload:
    formats = ("zip",) if slot == "range_file" else ("pdf", "jpg")
    return receive(office.files, MaterialSlot(slot, slot, formats, max_mb=1), name, [content])


def added(office: KeepingOffice, *args: Any, **kwargs: Any) -> int:
    with office.writing() as session:
        return add_material(session, APPLICANT, office.case_id, upload(office, *args, **kwargs)).id


def tree(office: KeepingOffice, may_edit: bool = True) -> dict[str, material.MaterialBranch]:
    with office.reading() as session:
        case_type = session.info["office"].catalogue.edition("sample_permit", "2026-01-01")
        branches = material.tree(
            session, case_type, session.get(Case, office.case_id), {"has_notice": None}, lambda slot: may_edit
        )
        session.expunge_all()
        return {branch.slot.key: branch for branch in branches}


def test_added_file_stands_in_the_tree_and_in_the_audit(keeping: KeepingOffice) -> None:
    assert tree(keeping)["application"].is_missing
    added(keeping)
    branch = tree(keeping)["application"]
    (file,) = branch.files
    assert (file.row.name, file.row.step, file.row.size, file.row.media_type) == (
        "申请表.pdf",
        "apply",
        len(PDF),
        "application/pdf",
    )
    assert not branch.is_missing and not branch.can_add and file.can_edit
    assert keeping.audited() == ["material.add"] and keeping.files.read_bytes(file.row.digest) == PDF


def test_replaced_file_stays_as_an_older_version(keeping: KeepingOffice) -> None:
    first = added(keeping)
    with keeping.writing() as session:
        second = replace_material(session, APPLICANT, keeping.case_id, first, upload(keeping, PDF + b"2")).id
    with keeping.writing() as session:
        replace_material(session, APPLICANT, keeping.case_id, second, upload(keeping, PDF + b"3"))
    (file,) = tree(keeping)["application"].files
    assert file.row.version_no == 3 and [older.version_no for older in file.older] == [2, 1]


def test_removed_file_leaves_the_slot_empty(keeping: KeepingOffice) -> None:
    material_id = added(keeping)
    with keeping.writing() as session:
        remove_material(session, APPLICANT, keeping.case_id, material_id)
    assert tree(keeping)["application"].is_missing
    with keeping.reading() as session:
        assert session.get(Material, material_id).removed_at is not None


def test_second_file_in_a_single_slot_is_refused(keeping: KeepingOffice) -> None:
    added(keeping)
    with pytest.raises(Conflict, match="只收一个文件，已有「申请表.pdf」"):
        added(keeping, PDF + b"2", "另一份.pdf")


def test_same_content_is_not_kept_twice(keeping: KeepingOffice) -> None:
    material_id = added(keeping)
    with pytest.raises(Conflict, match="内容完全相同"), keeping.writing() as session:
        replace_material(session, APPLICANT, keeping.case_id, material_id, upload(keeping, name="改名.pdf"))


def test_stale_page_cannot_change_a_replaced_file(keeping: KeepingOffice) -> None:
    first = added(keeping)
    with keeping.writing() as session:
        replace_material(session, APPLICANT, keeping.case_id, first, upload(keeping, PDF + b"2"))
    with pytest.raises(Conflict, match="已经被替换或删除"), keeping.writing() as session:
        remove_material(session, APPLICANT, keeping.case_id, first)


def test_a_range_is_not_put_into_its_slot_unread(keeping: KeepingOffice) -> None:
    with pytest.raises(InvalidData, match="上传范围"):
        added(keeping, b"PK\x05\x06" + bytes(18), "范围.zip", slot="range_file")


def test_unknown_slot_and_unknown_file_are_not_found(keeping: KeepingOffice) -> None:
    with pytest.raises(NotFound, match="没有这一项材料"):
        added(keeping, slot="nothing")
    with pytest.raises(NotFound, match="没有这份材料"), keeping.writing() as session:
        remove_material(session, APPLICANT, keeping.case_id, 999)


def test_stranger_does_not_learn_that_the_case_exists(keeping: KeepingOffice) -> None:
    with pytest.raises(NotFound, match="没有这件办件"), keeping.writing() as session:
        add_material(session, STRANGER, keeping.case_id, upload(keeping))


def test_applicant_may_not_add_once_the_case_is_in_other_hands(keeping: KeepingOffice) -> None:
    with keeping.writing() as session:
        session.get(Task, 1).status = "done"
        session.commit()
    with pytest.raises(NotAllowed):
        added(keeping)
    assert tree(keeping, may_edit=False)["application"].can_add is False


def test_correction_opens_only_the_material_it_names(keeping: KeepingOffice) -> None:
    with keeping.writing() as session:
        session.get(Case, keeping.case_id).status = "correction"
        session.get(Task, 1).kind = "correction"
        session.add(
            CaseCorrection(
                case_id=keeping.case_id, task_id=1, asked_at=BEGUN, items=[{"material": "application"}]
            )
        )
        session.commit()
    added(keeping)
    with pytest.raises(NotAllowed, match="没有列入"):
        added(keeping, b"PK\x05\x06" + bytes(18), "范围.zip", slot="range_file")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("申请表.pdf", b"MZ program", "内容是可执行程序"),
        ("申请表.png", b"\x89PNG\r\n\x1a\n", "这里只收PDF 文档、JPEG 图片"),
        ("申请表.pdf", b"", "空文件"),
        ("../申请表.pdf", PDF, "路径分隔符"),
        ("申请表.pdf", PDF + bytes(1024 * 1024), "超过 1.0 MB"),
    ],
)
def test_file_that_does_not_fit_the_slot_is_refused(
    keeping: KeepingOffice, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(InvalidData, match=message):
        receive(keeping.files, SLOT, name, [content])


def test_required_when_needs_a_condition_that_holds() -> None:
    condition = (
        one_field("{key: a, label: 是否, type: boolean, required_when: {fact: a, is: true}}")
        .definition.field("a")
        .required_when
    )
    slot = MaterialSlot("x", "图", ("pdf",), required_when=condition)
    assert [material.is_required(slot, {"a": each}) for each in (True, False, None)] == [True, False, False]


def test_limits_are_said_in_words() -> None:
    assert material.limits_in_words(SLOT) == "PDF 文档、JPEG 图片，单个不超过 1.0 MB，一个文件"
    assert material.accepted_endings(SLOT) == ".pdf,.jpg,.jpeg"
