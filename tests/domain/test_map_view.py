"""Saved maps and views: whose they are, who sees them, and that sharing shows nobody more than he may see."""

from datetime import date

import pytest

from domain import map_view
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.thematic_map import MapSpec, saved
from tests.domain.case.filing_steps import Walk
from tests.domain.ledger_books import opened, stored, working
from tests.domain.space_fixtures import PUDONG, QINGPU, load_plots


@pytest.fixture(autouse=True)
def plots(database):
    with database.writing() as session:
        load_plots(session)


@pytest.fixture
def owner(person):
    return person("district_handler", district=QINGPU, login="owner", name="图主")


@pytest.fixture
def other(person):
    return person("district_handler", district=PUDONG, login="other", name="别人")


@pytest.fixture
def done(database):
    """Run a command in a session of its own."""

    def run(act, actor, *args, **kwargs):
        with database.writing() as session:
            return act(session, actor, *args, **kwargs)

    return run


def listed(database, actor):
    with database.reading() as session:
        return [each.name for each in map_view.views_of(session, actor)], [each.name for each, _owner in map_view.shared_with(session, actor)]


def test_a_view_is_ones_own_until_it_is_shared(database, done, owner, other):
    view = done(map_view.save, owner, "青浦水田", {"layers": "land_use.paddy", "at": "121.1,31.1,13", "csrf_token": "x"})
    assert "csrf_token" not in view.state and listed(database, other) == ([], [])
    with database.reading() as session, pytest.raises(NotFound):
        map_view.find(session, other, view.id)
    done(map_view.share, owner, view.id, "person", "other")
    assert listed(database, owner) == (["青浦水田"], []) and listed(database, other) == ([], ["青浦水田"])


@pytest.mark.parametrize(("kind", "value", "reaches"), [("role", "district_handler", True), ("role", "city_handler", False), ("district", PUDONG, True), ("district", QINGPU, False)])
def test_a_share_reaches_whom_it_names(database, done, owner, other, kind, value, reaches):
    view = done(map_view.save, owner, "图", {"q": "青浦区"})
    done(map_view.share, owner, view.id, kind, value)
    assert (listed(database, other)[1] == ["图"]) is reaches


def test_a_share_ends_when_it_is_taken_back_or_the_view_is_deleted(database, done, owner, other):
    view = done(map_view.save, owner, "图", {"q": "青浦区"})
    share = done(map_view.share, owner, view.id, "district", PUDONG)
    with pytest.raises(Conflict):
        done(map_view.share, owner, view.id, "district", PUDONG)
    done(map_view.delete_view, owner, view.id)
    assert listed(database, other)[1] == []
    done(map_view.restore, owner, view.id)
    assert listed(database, other)[1] == ["图"]
    done(map_view.unshare, owner, view.id, share.id)
    assert listed(database, other)[1] == []


def test_only_the_owner_changes_a_view(done, owner, other):
    view = done(map_view.save, owner, "图", {"q": "青浦区"})
    done(map_view.share, owner, view.id, "person", "other")
    for act, args in ((map_view.rename, ("新名",)), (map_view.delete_view, ()), (map_view.share, ("district", QINGPU)), (map_view.unshare, (1,))):
        with pytest.raises(NotFound):
            done(act, other, view.id, *args)


@pytest.mark.parametrize(("kind", "value"), [("person", "nobody"), ("role", "applicant"), ("role", "system_admin"), ("district", "1"), ("organisation", "99999"), ("world", "x")])
def test_a_view_is_shared_with_somebody_who_exists(done, owner, kind, value):
    view = done(map_view.save, owner, "图", {"q": "青浦区"})
    with pytest.raises(InvalidData):
        done(map_view.share, owner, view.id, kind, value)


@pytest.mark.parametrize("name", ["", "　", "长" * 41])
def test_a_view_has_a_name_of_fitting_length(done, owner, name):
    with pytest.raises(InvalidData):
        done(map_view.save, owner, name, {"q": "青浦区"})


def test_a_shared_view_does_not_show_a_case_that_the_receiver_may_not_see(database, done, owner, other):
    with working(database) as work:
        opened(work, QINGPU, "500000.00")
        stored(work, "100000.00")
    walk = Walk(database, owner, "nonbuild_usage")
    walk.fill(owner, "apply", project_name="样例河道", district=QINGPU, project_type="small_rivers", project_owner="样例单位")
    view = done(map_view.save, owner, "办件", {"case": str(walk.id), "at": "121.1,31.1,13"})
    done(map_view.share, owner, view.id, "district", PUDONG)
    with database.reading() as session:
        assert map_view.opened(session, owner, view) == ({"case": str(walk.id), "at": "121.1,31.1,13"}, False)
        assert map_view.opened(session, other, view) == ({"at": "121.1,31.1,13"}, True)


def maps(database, actor):
    with database.reading() as session:
        return [each.name for each in saved.list_maps(session, actor)]


@pytest.mark.function("ONEMAP-012", "c2")
def test_a_saved_map_is_shared_copied_deleted_and_taken_back(database, done, owner, other):
    spec = MapSpec(kind="ranges", unit="district", classes=("01",), on=date(2026, 1, 1))
    kept = done(saved.save, owner, "耕地分级", spec)
    assert saved.spec_of(kept) == spec and kept.edition_number == 1 and maps(database, other) == []
    done(saved.share, owner, kept.id, "district", PUDONG)
    assert maps(database, other) == ["耕地分级"]
    with pytest.raises(NotAllowed):
        done(saved.rename, other, kept.id, "新名", None)
    copied = done(saved.copy, other, kept.id)
    assert copied.owner_id == other.person_id and maps(database, owner) == ["耕地分级"]
    done(saved.delete, owner, kept.id)
    assert maps(database, owner) == [] and maps(database, other) == [copied.name]
    with pytest.raises(NotFound):
        done(saved.restore, other, kept.id)
    done(saved.restore, owner, kept.id)
    assert maps(database, owner) == ["耕地分级"]


def test_a_stale_page_does_not_overwrite_a_saved_map(done, owner):
    kept = done(saved.save, owner, "图", MapSpec())
    done(saved.rename, owner, kept.id, "新名", kept.version)
    with pytest.raises(Conflict):
        done(saved.save, owner, "旧名", MapSpec(), kept.id, kept.version)


def test_a_map_shared_with_ones_office_needs_an_office(done, owner):
    kept = done(saved.save, owner, "图", MapSpec())
    with pytest.raises(InvalidData):
        done(saved.share, owner, kept.id, "organisation")
    with pytest.raises(InvalidData):
        done(saved.share, owner, kept.id, "district", "1")
