"""What the portal says by itself goes by new rules: the runner acts on each new state of the records once."""

import pytest

from domain.actor import SYSTEM
from domain.ledger import warning
from portal.runner import Runner
from tests.domain.rule_edition.conftest import HIGHEST, bench, office  # noqa: F401


def test_new_rules_are_acted_on_once_each_time(bench, monkeypatch):  # noqa: F811
    acted = []
    refresh = warning.refresh_all
    monkeypatch.setattr(warning, "refresh_all", lambda session, actor: acted.append(actor) or refresh(session, actor))
    runner = Runner(bench.database, bench.office)
    runner._act_on_new_rules()
    runner._act_on_new_rules()
    assert acted == [SYSTEM], "what stands at the start is acted on once"
    bench.published()
    runner._act_on_new_rules()
    runner._act_on_new_rules()
    assert acted == [SYSTEM] * 2
    bench.drafted(HIGHEST)
    runner._act_on_new_rules()
    assert acted == [SYSTEM] * 2, "a draft changes no rule"


def test_new_rules_are_acted_on_again_if_acting_failed(bench, monkeypatch):  # noqa: F811
    runner = Runner(bench.database, bench.office)
    runner._act_on_new_rules()
    bench.published()
    acted = []

    def broken(session, actor):
        acted.append(actor)
        raise OSError("no space left")

    refresh = warning.refresh_all
    monkeypatch.setattr(warning, "refresh_all", broken)
    with pytest.raises(OSError, match="no space"):
        runner._act_on_new_rules()
    monkeypatch.setattr(warning, "refresh_all", lambda session, actor: acted.append(actor) or refresh(session, actor))
    runner._act_on_new_rules()
    assert len(acted) == 2
