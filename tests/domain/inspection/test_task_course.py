"""The course of a task: read, confirmed, inspected, run again, corrected, cancelled, deleted, copied; who may."""

import io
import zipfile

import pytest

from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused
from domain.inspection.task import access, course, findings, listing, package
from domain.inspection.task.findings import FindingQuery
from domain.inspection.task.listing import TaskQuery
from tests.domain.inspection.conftest import BAD, GOOD


def test_a_package_is_read_then_confirmed_then_inspected(tasks):
    task = tasks.made(BAD)
    [run] = tasks.runs(task.id)
    assert (task.state, run.state) == ("waiting", "waiting")
    assert run.understood["layers"][0]["count"] == 3
    tasks.act(course.confirm, task.id, task.version)
    tasks.work()
    task, [run] = tasks.task(task.id), tasks.runs(task.id)
    assert (task.state, task.error_count, run.finding_count, str(run.score)) == ("failed", 2, 3, "89.00")
    with tasks.database.reading() as session:
        rows = findings.page_of(session, run.id, FindingQuery()).rows
        assert [(row.number, row.code, row.feature) for row in rows] == [(1, "SX-01", 2), (2, "SX-02", 3), (3, "MJ-01", 3)]
        assert findings.count(session, run.id, FindingQuery(severity="error")) == 2


def test_a_package_that_cannot_be_read_says_why_and_is_not_inspected(tasks):
    made = package.receive(tasks.office.files, "notes.txt", ["没有图形".encode()])
    task = tasks.act(course.create, "supplement_package", "", "310118", made)
    tasks.work()
    [run] = tasks.runs(task.id)
    assert run.state == "unreadable" and "没有图层" in run.fault
    with pytest.raises(Conflict):
        tasks.act(course.confirm, task.id, tasks.task(task.id).version)


def test_whoever_is_slower_is_told_who_was_faster(tasks, person):
    task = tasks.inspected(GOOD)
    colleague = person("district_handler", district="310118", name="吴经办")
    tasks.act(course.rerun, task.id, task.version, by=colleague)
    with pytest.raises(Conflict, match="吴经办"):
        tasks.act(course.rerun, task.id, task.version)
    with pytest.raises(Conflict, match="正在"):
        tasks.act(course.rerun, task.id, tasks.task(task.id).version)
    tasks.work()
    assert [run.run_no for run in tasks.runs(task.id, latest=False)] == [2, 1]


def test_a_correction_is_the_next_version_and_says_what_changed(tasks):
    task = tasks.inspected(BAD)
    [first] = tasks.runs(task.id)
    with pytest.raises(InvalidData, match="完全相同"):
        tasks.act(course.resubmit, task.id, task.version, 1, tasks.received(BAD))
    better = (("T1", "310118", 500.0), ("T9", "310118", 400.0), ("T1", "310118", 50.0))
    tasks.act(course.resubmit, task.id, task.version, 1, tasks.received(better))
    tasks.work()
    tasks.act(course.confirm, task.id, tasks.task(task.id).version)
    tasks.work()
    [second] = tasks.runs(task.id)
    assert (second.run_no, second.package_version, second.error_count) == (2, 2, 1)
    with tasks.database.reading() as session:
        before = findings.previous(session, second)
        change = findings.change(session, second, before)
        assert before.id == first.id and (change.mended, change.new, change.stayed) == (1, 0, 2)
        assert findings.changed_rows(session, second, before, "mended").rows[0].code == "SX-01"


def test_several_packages_in_a_zip_make_a_batch_with_a_row_each(tasks):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        from tests.domain.inspection import paper_engine

        archive.writestr("甲/成果甲.gpkg", paper_engine.package(tasks.folder, GOOD))
        archive.writestr("乙/成果乙.gpkg", paper_engine.package(tasks.folder, BAD))
        archive.writestr("说明.txt", "成果目录")
    found = package.receive(tasks.office.files, "成果.zip", [buffer.getvalue()])
    assert [each.name for each in found] == ["成果乙.gpkg", "成果甲.gpkg"]
    task = tasks.act(course.create, "supplement_package", "两个成果", "310118", found)
    tasks.work()
    tasks.act(course.confirm, task.id, tasks.task(task.id).version)
    tasks.work()
    task = tasks.task(task.id)
    assert (task.is_batch, task.package_count, task.passed_count, task.state, task.error_count) == (True, 2, 1, "failed", 2)


def test_shapefiles_of_one_folder_are_one_package_and_geodatabases_one_each(tasks):
    def units(*names):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in names:
                archive.writestr(name, b"x")
        path = tasks.folder / "units.zip"
        path.write_bytes(buffer.getvalue())
        return [(each.name, len(each.members)) for each in package.units_of(path, "units.zip")]

    assert units("a.shp", "a.dbf", "b.shp", "b.dbf") == [("图层.zip", 4)]
    assert units("甲/a.shp", "甲/a.dbf", "乙/b.shp") == [("乙.zip", 1), ("甲.zip", 2)]
    assert units("x/甲.gdb/a1.gdbtable", "x/甲.gdb/a2.gdbtable", "y/乙.gdb/a1.gdbtable") == [("乙.gdb.zip", 1), ("甲.gdb.zip", 2)]


def test_a_deleted_task_leaves_the_list_and_comes_back(tasks):
    task = tasks.inspected(GOOD)

    def listed(**how):
        with tasks.database.reading() as session:
            return [row.id for row in listing.page_of(session, tasks.handler, TaskQuery(**how)).rows]

    tasks.act(course.delete, task.id, task.version)
    assert listed() == [] and listed(deleted=True) == [task.id]
    with tasks.database.reading() as session, pytest.raises(NotFound):
        access.task_of(session, tasks.handler, task.id)
    tasks.act(course.restore, task.id)
    assert listed() == [task.id]


def test_deleting_while_it_runs_ends_the_job_and_nothing_is_written_after(tasks):
    task = tasks.made(BAD)
    tasks.act(course.confirm, task.id, task.version)
    tasks.act(course.delete, task.id, tasks.task(task.id).version)
    tasks.work()
    [run] = tasks.runs(task.id)
    assert run.state == "cancelled" and run.finding_count == 0


def test_a_cancelled_task_can_be_run_again(tasks):
    task = tasks.made(GOOD)
    tasks.act(course.confirm, task.id, task.version)
    tasks.act(course.cancel, task.id, tasks.task(task.id).version)
    assert tasks.task(task.id).state == "cancelled"
    tasks.act(course.rerun, task.id, tasks.task(task.id).version)
    tasks.work()
    assert tasks.task(task.id).state == "passed"


def test_an_inspection_that_was_cut_off_starts_again_and_leaves_nothing_double(tasks):
    from domain.inspection.task import running

    task = tasks.inspected(BAD)
    [run] = tasks.runs(task.id)
    with tasks.database.writing() as session:
        kept = session.get(type(run), run.id)
        kept.state = "running"
        session.commit()

    from domain.job import Job, Progress
    from domain.portal_clock import now

    progress = Progress(tasks.database, tasks.office, Job(id=0, kind="x", title="x", arguments={}, created_at=now(), due_at=now()), lambda: False)
    progress.tell = lambda *_args: None
    running.run_inspection(progress, {"run": run.id})
    with tasks.database.reading() as session:
        assert findings.count(session, run.id, FindingQuery()) == 3
    assert tasks.task(task.id).state == "failed"


def test_copies_keep_scheme_and_packages(tasks):
    task = tasks.inspected(GOOD)
    made = tasks.act(course.copy, task.id)
    tasks.work()
    assert (tasks.task(made.id).state, tasks.runs(made.id)[0].digest) == ("waiting", tasks.runs(task.id)[0].digest)
    assert made.number != task.number


def test_only_the_right_roles_of_the_right_district_act(tasks, person):
    task = tasks.inspected(GOOD)
    elsewhere = person("district_handler", district="310115")
    for act, args in ((course.rerun, (task.id, task.version)), (course.delete, (task.id, task.version)), (course.copy, (task.id,))):
        with pytest.raises(NotFound):
            tasks.act(act, *args, by=elsewhere)
    viewer = person("city_viewer")
    with pytest.raises(NotAllowed):
        tasks.act(course.rename, task.id, task.version, "别的", by=viewer)
    with pytest.raises(NotAllowed):
        tasks.made(GOOD, by=elsewhere)
    with pytest.raises(NotAllowed):
        tasks.made(GOOD, district="310100")
    with pytest.raises(NotAllowed):
        tasks.made(GOOD, by=person("window", district="310118"))


def test_names_are_required_and_short(tasks):
    task = tasks.made(GOOD)
    for title in ("", "长" * 101):
        with pytest.raises(InvalidData):
            tasks.act(course.rename, task.id, task.version, title)
    assert tasks.act(course.rename, task.id, task.version, "第二次").title == "第二次"


def test_the_list_is_searched_filtered_sorted_and_paged_by_keyset(tasks):
    made = [tasks.made(GOOD, title=f"任务{number}") for number in range(3)]
    bad = tasks.inspected(BAD, title="有错")

    def ids(size=50, **how):
        with tasks.database.reading() as session:
            found = listing.page_of(session, tasks.handler, TaskQuery(**how), size)
            return [row.id for row in found.rows], found.total, found.next

    newest = [bad.id, *(each.id for each in reversed(made))]
    assert ids()[0] == newest
    for sort, expected in (("-id", newest), ("id", newest[::-1]), ("-error_count", newest)):
        first, total, mark = ids(2, sort=sort)
        second, _, end = ids(2, sort=sort, after=mark)
        assert (first + second, total, end) == (expected, 4, "")
    assert ids(words="任务1")[0] == [made[1].id]
    assert ids(state="failed")[0] == [bad.id]
    assert ids(district="310115")[1] == 0 and ids(scheme="other")[1] == 0
    assert ids(after="x")[0] == []


def test_an_admitted_package_is_neither_run_nor_replaced(tasks):
    task = tasks.inspected(GOOD)
    with tasks.database.writing() as session:
        run = course.runs_of(session, task.id)[0]
        run.state = "admitted"
        session.add(run)
        session.commit()
    with pytest.raises(Refused):
        tasks.act(course.rerun, task.id, task.version)
    with pytest.raises(Refused):
        tasks.act(course.resubmit, task.id, task.version, 1, tasks.received(BAD))
