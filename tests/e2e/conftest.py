"""Journeys in a real browser: one portal with demo data for all of a worker; each starts its own cases."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.running import RunningPortal, demo_data

# A machine that runs two browsers and two portals is slow at times: what must appear is awaited this long.
expect.set_options(timeout=15_000)
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
             "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": quiet}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "zh-CN", "timezone_id": "Asia/Shanghai",
            "viewport": {"width": 1440, "height": 900}}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> RunningPortal:
    """A portal with demo data that nobody has started, the same for all workers of a run: others are copied from it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{testrun_uid}"
    shared.mkdir(exist_ok=True)
    return demo_data(shared)


@pytest.fixture(scope="session")
def portal(prepared: RunningPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPortal]:
    """The portal and its partners, running; each worker of a run has its own."""
    running = prepared.copied(tmp_path_factory.mktemp("copy") / "portal")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_portal(prepared: RunningPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPortal]:
    """A portal of one's own, for journeys that move the demo date or stop the partners."""
    running = prepared.copied(tmp_path_factory.mktemp("copy") / "portal")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def base_url(portal: RunningPortal) -> str:
    return portal.url


@pytest.fixture(scope="session")
def accounts(portal: RunningPortal) -> list[dict[str, Any]]:
    return portal.accounts()


SignIn = Callable[..., Page]


@pytest.fixture
def enter(browser: Any, browser_context_args: dict[str, Any], portal: RunningPortal, accounts: list[dict[str, Any]]) -> Iterator[SignIn]:
    """Open a browser of its own for an official, by role and district, or by login."""
    opened: list[BrowserContext] = []

    def sign_in(role: str, district: str | None = None, at: RunningPortal = portal, **options: Any) -> Page:
        wanted = f"{role}.{district}" if district else role
        account = next(a for a in accounts if wanted in (a["login"], a["role"]) and a["way"] == "password")
        context = browser.new_context(**{**browser_context_args, **options, "base_url": at.url})
        opened.append(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("登录名").fill(account["login"])
        page.get_by_label("口令").fill(account["password"])
        page.get_by_role("button", name="登录", exact=True).click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    yield sign_in
    for context in opened:
        context.close()


@pytest.fixture
def enter_enterprise(
    browser: Any, browser_context_args: dict[str, Any], portal: RunningPortal, accounts: list[dict[str, Any]]
) -> Iterator[SignIn]:
    """Open a browser of its own for a sample enterprise, through the identity provider."""
    opened: list[BrowserContext] = []

    def sign_in(account: str = "pipeline", at: RunningPortal = portal, **options: Any) -> Page:
        enterprise = next(a["name"] for a in accounts if a["login"] == account and a["way"] != "password")
        context = browser.new_context(**{**browser_context_args, **options, "base_url": at.url})
        opened.append(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_role("link", name="从一网通办登录").click()
        page.get_by_role("radio", name=enterprise).check()
        page.get_by_label("密码").fill("sample-2026")
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(lambda url: url.startswith(at.url) and "/sign-in" not in url)
        return page

    yield sign_in
    for context in opened:
        context.close()
