"""The simulators themselves: control page, faults, and what survives a kill."""

import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import html5lib
import httpx
import pytest
import yaml
from bs4 import BeautifulSoup

from domain.ports import PARTNERS, OutsideSystemDown
from domain.ports.usage_control import PackageKind, ReportState
from integrations.command_line import DEFAULT_CONTROL_KEY, KEY_FILE, read_fault
from integrations.connection import connect_partners
from integrations.http import Limits
from integrations.signature import load_key
from integrations.simulators.faults import COMMON_FAULTS, OWN_FAULTS
from tests.integrations.packages import make_package, permit_files
from tests.integrations.running import CONTROL_KEY, LIMITS
from tests.integrations.test_case_library import RESULT
from tests.integrations.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from portal.command_line import main; sys.exit(main())"


@pytest.fixture
def browser(running):
    with httpx.Client(base_url=running.url, trust_env=False, follow_redirects=True) as client:
        yield client


def sign_in(browser, key=CONTROL_KEY):
    return browser.post("/control/sign-in", data={"key": key})


def parse(answer):
    html5lib.HTMLParser(strict=True).parse(answer.text)
    return BeautifulSoup(answer.text, "html.parser")


def test_the_page_asks_for_the_key(browser):
    page = browser.get("/")
    assert page.status_code == 401
    assert parse(page).select_one("input[name=key]")
    assert "样例" in page.text


def test_a_wrong_key_does_not_open_the_page(browser):
    page = sign_in(browser, "wrong")
    assert page.status_code == 401 and parse(page).select_one("[role=alert]")
    assert browser.get("/control/").status_code == 401


@pytest.mark.parametrize("path", ["faults", "payments", "houses", "keys", "settings", "release", "reset"])
def test_nothing_is_changed_without_the_key(running, path):
    answer = httpx.post(f"{running.url}/control/{path}", json={}, trust_env=False)
    assert answer.status_code == 401
    assert httpx.get(f"{running.url}/control/state", trust_env=False).status_code == 401


def test_the_page_lists_every_partner_and_fault(browser):
    page = parse(sign_in(browser))
    offered = {
        form.select_one("input[name=partner]")["value"]: {
            option["value"] for option in form.select("select[name=kind] option")
        }
        for form in page.select("#faults form")
    }
    assert set(offered) == set(PARTNERS)
    assert all(set(COMMON_FAULTS) <= kinds for kinds in offered.values())
    assert set().union(*offered.values()) == set(COMMON_FAULTS) | set(OWN_FAULTS)


def test_every_field_of_the_page_has_a_label(browser):
    page = parse(sign_in(browser))
    labelled = {label["for"] for label in page.select("label")}
    fields = page.select("input:not([type=hidden]), select")
    assert [field["name"] for field in fields if field.get("id") not in labelled] == []
    identifiers = [element["id"] for element in page.select("[id]")]
    assert len(identifiers) == len(set(identifiers))


def test_a_fault_is_set_on_the_page(running, browser):
    sign_in(browser)
    form = {"partner": "tax", "kind": "down", "calls": "1", "seconds": "", "operation": "", "field": ""}
    page = parse(browser.post("/control/faults", data=form))
    assert "断链" in page.select_one("#faults").text and "还有 1 次" in page.text
    with pytest.raises(OutsideSystemDown):
        running.partners.tax.payments(contract_number="样例-转让-2026-001")
    assert running.partners.tax.payments(contract_number="样例-转让-2026-001")


def test_a_wrong_form_is_answered_with_the_page_and_the_reason(browser):
    sign_in(browser)
    page = browser.post("/control/faults", data={"partner": "tax", "kind": "unheard"})
    assert page.status_code == 422
    assert "unheard" in parse(page).select_one("[role=alert]").text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"partner": "nobody", "kind": "down"}, "nobody"),
        ({"partner": "tax", "kind": "wrong_nonce"}, "wrong_nonce"),
        ({"partner": "tax", "kind": "down", "calls": -1}, "次数"),
        ({"partner": "tax", "kind": "down", "calls": 1.5}, "整数"),
        ({"partner": "tax", "kind": "slow", "seconds": 601}, "秒数"),
        ({"partner": "tax", "kind": "slow", "seconds": "nan"}, "nan"),
    ],
)
def test_an_impossible_fault_is_refused(running, fields, words):
    assert words in running.control("faults", expect=422, **fields)["error"]
    assert all(partner["fault"]["kind"] == "ok" for partner in running.state()["partners"])


@pytest.mark.parametrize("address", ["http://example.org/x", "https://127.0.0.1/x", "file:///etc/hosts", "x"])
def test_results_are_pushed_to_this_machine_only(running, address):
    assert "本机地址" in running.control("settings", expect=422, callback_url=address)["error"]


def test_a_fault_for_one_operation_leaves_the_others_alone(running):
    running.fault("identity", "down", operation="token", calls=1)
    running.partners.identity.begin_login("http://127.0.0.1:8000/login/return")
    (identity,) = [entry for entry in running.state()["partners"] if entry["key"] == "identity"]
    assert identity["fault"]["calls_left"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tax=down", ("tax", "down", None)),
        ("usage_control=lost_answer:2", ("usage_control", "lost_answer", 2)),
    ],
)
def test_faults_of_the_command_line(text, expected):
    assert read_fault(text) == expected


@pytest.mark.parametrize("text", ["tax", "tax=", "=down", "tax=down:", "tax=down:x"])
def test_a_fault_of_another_form_is_refused(text):
    with pytest.raises(ValueError, match="写法"):
        read_fault(text)


class Process:
    """`portal partners` as a process of its own, with its state in a folder."""

    def __init__(self, var_dir: Path, *faults: str) -> None:
        arguments = ["partners", "--port", "0", "--var-dir", str(var_dir), "--answer-delay", "0"]
        if faults:
            arguments += ["--faults", *faults]
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        self.url = re.search(r"http://127\.0\.0\.1:[0-9]+", line).group()
        wait_until(self._answers)
        key = load_key(var_dir / KEY_FILE)
        self.partners = connect_partners(self.url, key, simulated=True, limits=LIMITS)
        self.patient = connect_partners(self.url, key, simulated=True, limits=Limits(read_s=30))

    def _answers(self) -> bool:
        assert self.process.poll() is None, "仿真端没有启动"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(self.url.rsplit(":", 1)[1]))) == 0

    def hold_answers(self, *names: str) -> None:
        """Let the partners act on the next call and keep the answer back for ten minutes."""
        for name in names:
            fault = {"partner": name, "kind": "lost_answer", "calls": 1, "seconds": 600}
            headers = {"x-control-key": DEFAULT_CONTROL_KEY}
            httpx.post(f"{self.url}/control/faults", json=fault, headers=headers, trust_env=False)

    def state(self):
        headers = {"x-control-key": DEFAULT_CONTROL_KEY}
        return httpx.get(f"{self.url}/control/state", headers=headers, trust_env=False).json()

    def end(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)
        self.process.wait(15)
        self.process.stdout.close()


@pytest.fixture
def start(tmp_path):
    processes = []

    def begin(*faults):
        processes.append(Process(tmp_path, *faults))
        return processes[-1]

    yield begin
    for process in processes:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


def test_a_kill_in_mid_exchange_and_a_retry_leave_exactly_one_effect(start):
    """The partner has acted, the answer is still on its way, and the process is killed."""
    package = make_package("CASE-1/permit/1", PackageKind.PERMIT_INITIAL, permit_files())
    first = start()
    first.hold_answers("usage_control", "case_library")
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(first.patient.usage_control.submit, package),
            pool.submit(first.patient.case_library.push, RESULT),
        ]
        wait_until(lambda: len(first.state()["packages"]) == len(first.state()["results"]) == 1)
        assert not any(call.done() for call in calls)
        first.end(signal.SIGKILL)
        failures = [call.exception() for call in calls]
    assert all(isinstance(failure, OutsideSystemDown) and failure.effect_unknown for failure in failures)

    second = start()
    assert second.partners.usage_control.submit(package).is_duplicate
    assert second.partners.case_library.push(RESULT).is_duplicate
    result = second.partners.usage_control.result("CASE-1/permit/1")
    state = second.state()
    assert result.state is ReportState.NUMBERED
    assert [row["number"] for row in state["numbers"]] == [result.number]
    assert len(state["packages"]) == len(state["results"]) == 1
    assert len({push["message_id"] for push in state["pushes"]}) == 1


def test_a_fault_for_some_calls_is_remembered_through_a_kill(start):
    first = start("tax=down:2")
    with pytest.raises(OutsideSystemDown):
        first.partners.tax.payments(contract_number="样例-转让-2026-001")
    first.end(signal.SIGKILL)
    second = start()
    with pytest.raises(OutsideSystemDown):
        second.partners.tax.payments(contract_number="样例-转让-2026-001")
    assert second.partners.tax.payments(contract_number="样例-转让-2026-001")


def test_the_process_stops_when_asked(start):
    process = start()
    process.end(signal.SIGTERM)
    assert process.process.returncode in (0, -signal.SIGTERM)


def run_command(*arguments):
    return subprocess.run(
        [sys.executable, "-c", START, "partners", *arguments],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_a_taken_port_is_said_plainly(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run_command("--port", port, "--var-dir", str(tmp_path))
    assert ended.returncode == 2
    assert "--port" in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize("faults", ["tax=unheard", "nobody=down", "tax"])
def test_an_unknown_fault_is_said_plainly(tmp_path, faults):
    ended = run_command("--port", "0", "--var-dir", str(tmp_path), "--faults", faults)
    assert ended.returncode == 2
    assert ended.stderr.strip() and "Traceback" not in ended.stderr


def test_the_page_for_testers_names_every_partner_fault_and_sample():
    text = (ROOT / "docs" / "partners.md").read_text(encoding="utf-8")
    accounts = [entry["account"] for entry in samples("identity")["enterprises"]]
    contracts = [entry["contract_number"] for entry in samples("tax")["contracts"]]
    houses = [entry["project_number"] for entry in samples("house_registration")["projects"]]
    pipelines = [entry["project_code"] for entry in samples("survey_planning")["projects"]]
    names = [
        *PARTNERS,
        *COMMON_FAULTS,
        *OWN_FAULTS,
        *accounts,
        *contracts,
        *houses,
        *pipelines,
        DEFAULT_CONTROL_KEY,
    ]
    assert [name for name in names if f"`{name}`" not in text] == []


def samples(name):
    return yaml.safe_load((ROOT / "integrations" / name / "samples.yaml").read_text(encoding="utf-8"))
