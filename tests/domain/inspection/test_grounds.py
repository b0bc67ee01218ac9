"""What a certificate rests on goes with it: rules published in the workbench judge again outside it, and by the database."""

import json
import zipfile
from pathlib import Path

import pytest
from sqlmodel import select

from domain.demo import sample_package
from domain.errors import InvalidData, NotFound
from domain.inspection import schemes
from domain.inspection.grounds import grounds_of, read_grounds, write_grounds
from domain.inspection.task import course, engine, package
from domain.portal_clock import now
from domain.rule_edition import files, shelf
from domain.rule_edition.tables import IN_FORCE, SUPERSEDED, RuleEdition, RuleShelf
from portal.command_line import main
from rules.engine import RuleBook, read_text
from tests.domain.inspection.conftest import Tasks

QINGPU = "310118"
SCHEME = "supplement_package"


@pytest.fixture
def real(database, office, tmp_path, person, monkeypatch):
    """Tasks of a portal in whose workbench a larger overlap was allowed: the shipped edition is no longer in force."""
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    files.sync(database, office)
    publish(database, office)
    return Tasks(database, office, tmp_path, person)


def publish(database, office):
    """An edition that stands in the database alone, as the workbench leaves it."""
    with database.writing() as session:
        before = session.exec(select(RuleEdition).where(RuleEdition.key == "package_quality", RuleEdition.state == IN_FORCE)).one()
        text = before.text.replace('overlap_area_m2: {value: "0"', 'overlap_area_m2: {value: "99999999"')
        rules = read_text(text, "规则", office.book.known)
        assert rules.digest != before.digest
        session.add(RuleEdition(
            kind=rules.kind.key, key=rules.key, title=rules.title, start=before.start, effective_at=now(session), state=IN_FORCE,
            digest=rules.digest, text=text, content=rules.content, source="portal", published_at=now(session), replaces=before.digest,
        ))  # fmt: skip
        before.state, before.ended_at = SUPERSEDED, now(session)
        session.add(before)
        kept = session.exec(select(RuleShelf)).one()
        kept.version += 1
        session.add(kept)
        session.commit()
        shelf.refresh(session)


def certified(real) -> tuple[Path, Path, Path]:
    """Package, certificate and rules as the files of a person who downloaded them."""
    data = sample_package.package(schemes()[SCHEME], QINGPU, first=0, spoilt={})
    task = real.act(course.create, SCHEME, "包", QINGPU, package.receive(real.office.files, "包.gpkg", [data]))
    real.work()
    real.act(course.confirm, task.id, real.task(task.id).version)
    real.work()
    [run] = real.runs(task.id)
    assert run.is_passed
    paths = tuple(real.folder / name for name in ("包.gpkg", "质检证书.json", "质检规则.zip"))
    paths[0].write_bytes(real.office.files.read_bytes(run.digest))
    with real.database.reading() as session:
        paths[1].write_text(engine.certificate_text(session, run), encoding="utf-8")
        engine.write_rules(session, run, real.task(task.id), paths[2])
    return paths


def again(capsys, *words) -> tuple[int, dict]:
    code = main(["inspect", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_certificate_under_published_rules_is_made_again_by_its_own_rules_and_by_the_database(real, capsys):
    data, certificate, rules = certified(real)
    code, told = again(capsys, data, "--certificate", certificate)
    assert code == 1 and {"edition", "parameters"} <= set(told["differences"])
    for words in (("--rules", rules), ("--edition",)):
        code, told = again(capsys, data, "--certificate", certificate, *words)
        assert (code, told["differences"], told["parameters"]["overlap_area_m2"]) == (0, [], "99999999")


def test_the_text_says_what_to_add_when_only_the_rules_differ(real, capsys):
    data, certificate, _rules = certified(real)
    assert main(["inspect", str(data), "--certificate", str(certificate)]) == 1
    assert "--rules" in capsys.readouterr().out


def test_the_database_gives_the_edition_of_a_digest_and_the_one_in_force(real, capsys):
    data, _certificate, _rules = certified(real)
    first, second = real.office.book.editions("quality", "package_quality")
    for digest, value in ((first.digest[:12], "0"), (second.digest, "99999999")):
        _, told = again(capsys, data, "--scheme", SCHEME, "--district", QINGPU, "--edition", digest)
        assert told["parameters"]["overlap_area_m2"] == value
    _, told = again(capsys, data, "--scheme", SCHEME, "--district", QINGPU, "--edition")
    assert told["parameters"]["overlap_area_m2"] == "99999999"
    assert main(["inspect", str(data), "--scheme", SCHEME, "--edition", "ffff"]) == 2
    assert "应恰好一个" in capsys.readouterr().err


def test_scheme_lists_and_rules_come_back_the_same(tmp_path):
    scheme, book = schemes()[SCHEME], RuleBook(engine="python")
    [rules] = book.editions("quality", scheme.rules)
    path = tmp_path / "rules.zip"
    write_grounds(path, grounds_of(book, scheme, f"{scheme.digest[:16]}-{rules.digest[:16]}"))
    back = read_grounds(path)
    assert (back.scheme.digest, back.rules.digest, back.scheme.lists) == (scheme.digest, rules.digest, scheme.lists)
    assert back.scheme.layers == scheme.layers and back.scheme.lists


def test_a_list_that_changes_makes_another_edition(tmp_path):
    scheme = schemes()[SCHEME]
    [rules] = RuleBook(engine="python").editions("quality", scheme.rules)
    path = tmp_path / "rules.zip"
    write_grounds(path, grounds_of(RuleBook(engine="python"), scheme, f"{scheme.digest[:16]}-{rules.digest[:16]}"))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content + b"9999,x\n" if name.endswith(".csv") else content)
    assert read_grounds(path).scheme.digest != scheme.digest


def test_rules_that_are_gone_and_a_zip_that_is_none_are_refused(tmp_path, capsys):
    scheme = schemes()[SCHEME]
    with pytest.raises(NotFound, match="已不在本系统"):
        grounds_of(RuleBook(engine="python"), scheme, "0" * 33)
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(InvalidData, match="不是质检规则包"):
        read_grounds(path)
    assert main(["inspect", str(path), "--rules", str(path)]) == 2
    assert "不是质检规则包" in capsys.readouterr().err
