"""Sign-in through the identity service: works, refuses properly, fails badly."""

import base64
import dataclasses
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from bs4 import BeautifulSoup

from domain.ports import OutsideSystemDown, PartnerAnswerInvalid, PartnerRefused, partner
from integrations.connection import CLIENT_ID, IDENTITY_SECRET_PURPOSE
from integrations.http import Connection
from integrations.identity.client import IdentityClient, code_challenge
from integrations.signature import derived_secret
from tests.integrations.running import KEY, LIMITS

REDIRECT = "http://127.0.0.1:8000/login/return"


@pytest.fixture
def identity(running):
    return running.partners.identity


def walk(attempt, account="pipeline", password="sample-2026", button="enter"):
    """Do in the browser what a visitor does; returns the query of the return address."""
    with httpx.Client(trust_env=False) as browser:
        page = browser.get(attempt.url)
        form = BeautifulSoup(page.text, "html.parser").form
        fields = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
        chosen = {"account": account, "password": password, button: "1"}
        answer = browser.post(form["action"], data={**fields, **chosen})
    assert answer.status_code == 303, answer.text
    address = urlsplit(answer.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == attempt.redirect_uri
    return dict(parse_qsl(address.query))


def client(running, *, skew=timedelta(), secret=None, client_id=CLIENT_ID):
    connection = Connection(
        partner("identity"), f"{running.url}/identity", limits=LIMITS, now=lambda: datetime.now(UTC) + skew
    )
    return IdentityClient(connection, client_id, secret or derived_secret(KEY, IDENTITY_SECRET_PURPOSE))


def test_an_enterprise_signs_in(identity):
    attempt = identity.begin_login(REDIRECT)
    found = identity.finish_login(attempt, walk(attempt))
    assert found.subject == "sample-enterprise-1"
    assert found.enterprise.name == "样例管线建设有限公司"
    assert found.enterprise.credit_code == "91310000MA0DEM001P"
    assert found.enterprise.legal_representative == "样例法人甲"
    assert (found.enterprise.handler_name, found.enterprise.handler_phone) == ("样例经办甲", "021-70000011")
    assert found.enterprise.address == "上海市样例区样例路 1 号"


def test_what_the_service_does_not_have_stays_empty(identity):
    attempt = identity.begin_login(REDIRECT)
    enterprise = identity.finish_login(attempt, walk(attempt, "incomplete")).enterprise
    assert (enterprise.legal_representative, enterprise.handler_phone, enterprise.address) == (
        None,
        None,
        None,
    )


def test_every_attempt_has_its_own_secrets(identity):
    first, second = identity.begin_login(REDIRECT), identity.begin_login(REDIRECT)
    for name in ("state", "nonce", "code_verifier"):
        assert getattr(first, name) != getattr(second, name)
        assert len(getattr(first, name)) >= 43
    query = dict(parse_qsl(urlsplit(first.url).query))
    assert query["code_challenge"] == code_challenge(first.code_verifier)
    assert first.code_verifier not in first.url


def test_pkce_of_the_standard():
    # RFC 7636, appendix B.
    challenge = code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("account", "password", "words"),
    [
        ("pipeline", "wrong", "账号或密码不正确"),
        ("nobody", "sample-2026", "账号或密码不正确"),
        ("locked", "sample-2026", "已停用"),
    ],
)
def test_the_login_page_says_what_is_wrong(identity, account, password, words):
    attempt = identity.begin_login(REDIRECT)
    form = dict(parse_qsl(urlsplit(attempt.url).query)) | {"account": account, "password": password}
    answer = httpx.post(attempt.url.split("/authorize")[0] + "/sign-in", data=form, trust_env=False)
    assert answer.status_code == 422
    assert words in BeautifulSoup(answer.text, "html.parser").select_one("[role=alert]").text


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"redirect_uri": "https://example.org/return"},
        {"response_type": "token"},
        {"scope": "profile"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"nonce": ""},
    ],
)
def test_a_request_that_is_not_safe_gets_no_login_page(identity, change):
    attempt = identity.begin_login(REDIRECT)
    query = dict(parse_qsl(urlsplit(attempt.url).query)) | change
    address = attempt.url.split("?")[0]
    answer = httpx.get(address, params=query, trust_env=False)
    assert answer.status_code == 400
    assert "sign-in" not in answer.text


def test_a_visitor_who_cancels_is_refused_with_the_reason(identity):
    attempt = identity.begin_login(REDIRECT)
    with pytest.raises(PartnerRefused) as refused:
        identity.finish_login(attempt, walk(attempt, button="cancel"))
    assert (refused.value.code, refused.value.text) == ("access_denied", "用户取消登录")


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("wrong_nonce", "id_token.nonce"),
        ("wrong_audience", "id_token.aud"),
        ("wrong_issuer", "id_token.iss"),
        ("wrong_access_hash", "id_token.at_hash"),
        ("expired", "id_token.exp"),
        ("from_future", "id_token.iat"),
        ("unsigned", "id_token"),
        ("wrong_key", "id_token"),
        ("other_subject", "sub"),
    ],
)
def test_a_token_that_does_not_prove_the_sign_in_is_refused(running, identity, kind, field):
    attempt = identity.begin_login(REDIRECT)
    answer = walk(attempt)
    running.fault("identity", kind)
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        identity.finish_login(attempt, answer)
    assert invalid.value.field == field


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(running, identity, monkeypatch):
    """The classic confusion of RS256 and HS256: the public key is known to everybody."""
    keys = httpx.get(f"{running.url}/identity/jwks", trust_env=False).json()["keys"]
    forged = _hs256({"sub": "sample-enterprise-2"}, keys[0]["kid"], keys[0]["n"].encode())
    attempt = identity.begin_login(REDIRECT)
    answer = walk(attempt)
    exchange = IdentityClient._exchange_code
    monkeypatch.setattr(IdentityClient, "_exchange_code", lambda *a: (exchange(*a)[0], forged))
    with pytest.raises(PartnerAnswerInvalid, match="id_token"):
        identity.finish_login(attempt, answer)


def test_a_code_is_good_for_one_sign_in(identity):
    attempt = identity.begin_login(REDIRECT)
    answer = walk(attempt)
    identity.finish_login(attempt, answer)
    with pytest.raises(PartnerRefused) as refused:
        identity.finish_login(attempt, answer)
    assert refused.value.code == "invalid_grant"


def test_a_stolen_code_is_worth_nothing_without_the_verifier(identity):
    victim, thief = identity.begin_login(REDIRECT), identity.begin_login(REDIRECT)
    code = walk(victim)["code"]
    with pytest.raises(PartnerRefused) as refused:
        identity.finish_login(thief, {"state": thief.state, "code": code})
    assert refused.value.code == "invalid_grant"


def test_another_return_address_spends_the_code(identity):
    attempt = identity.begin_login(REDIRECT)
    answer = walk(attempt)
    moved = dataclasses.replace(attempt, redirect_uri="http://127.0.0.1:8000/elsewhere")
    with pytest.raises(PartnerRefused, match="invalid_grant"):
        identity.finish_login(moved, answer)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"state": "other"}, "state"), ({"iss": "https://example.org"}, "iss"), ({"code": ""}, "code")],
)
def test_a_return_that_is_not_ours_is_refused_before_anything_is_sent(running, identity, change, field):
    attempt = identity.begin_login(REDIRECT)
    answer = walk(attempt) | change
    running.records.clear()
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        identity.finish_login(attempt, answer)
    assert invalid.value.field == field
    assert running.records == []


def test_a_wrong_client_secret_is_refused(running):
    stranger = client(running, secret="0" * 64)
    attempt = stranger.begin_login(REDIRECT)
    with pytest.raises(PartnerRefused) as refused:
        stranger.finish_login(attempt, walk(attempt))
    assert refused.value.code == "invalid_client"


@pytest.mark.parametrize(("seconds", "field"), [(361, "id_token.exp"), (-90, "id_token.iat")])
def test_clocks_that_differ_too_much_are_noticed(running, seconds, field):
    skewed = client(running, skew=timedelta(seconds=seconds))
    attempt = skewed.begin_login(REDIRECT)
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        skewed.finish_login(attempt, walk(attempt))
    assert invalid.value.field == field


@pytest.mark.parametrize("seconds", [-50, 50])
def test_clocks_that_differ_a_little_do_not_matter(running, seconds):
    skewed = client(running, skew=timedelta(seconds=seconds))
    attempt = skewed.begin_login(REDIRECT)
    assert skewed.finish_login(attempt, walk(attempt)).subject == "sample-enterprise-1"


@pytest.mark.parametrize("keep_old", [True, False])
def test_a_rotated_key_is_known_at_once(running, identity, keep_old):
    attempt = identity.begin_login(REDIRECT)
    answer = walk(attempt)
    kid = running.control("keys", keep_old=keep_old)["kid"]
    found = identity.finish_login(attempt, answer)
    header = found.id_token.split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["kid"] == kid


def test_the_session_ends_at_the_service_and_comes_back(identity):
    attempt = identity.begin_login(REDIRECT)
    found = identity.finish_login(attempt, walk(attempt))
    address = identity.end_session_url(found.id_token, "http://127.0.0.1:8000/")
    answer = httpx.get(address, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "http://127.0.0.1:8000/")


def test_the_session_end_does_not_send_visitors_anywhere(identity):
    address = identity.end_session_url("token", "https://example.org/")
    assert httpx.get(address, trust_env=False).status_code == 400


@pytest.mark.parametrize(
    ("kind", "operation", "error"),
    [
        ("down", "token", OutsideSystemDown),
        ("lost_answer", "token", OutsideSystemDown),
        ("error_500", "jwks", OutsideSystemDown),
        ("truncated", "userinfo", OutsideSystemDown),
        ("never", "userinfo", OutsideSystemDown),
        ("refuse", "token", PartnerRefused),
        ("malformed", "jwks", PartnerAnswerInvalid),
        ("twice", "token", PartnerAnswerInvalid),
        ("wrong_schema", "token", PartnerAnswerInvalid),
        ("wrong_value", "userinfo", PartnerAnswerInvalid),
        ("wrong_value", ".well-known", PartnerAnswerInvalid),
        ("wrong_schema", "jwks", PartnerAnswerInvalid),
    ],
)
def test_no_fault_signs_anybody_in(running, identity, kind, operation, error):
    attempt = identity.begin_login(REDIRECT)
    answer = walk(attempt)
    running.fault("identity", kind, operation=operation)
    with pytest.raises(error):
        identity.finish_login(attempt, answer)


def test_secrets_and_persons_are_not_in_the_records(running, identity):
    attempt = identity.begin_login(REDIRECT)
    answer = walk(attempt)
    found = identity.finish_login(attempt, answer)
    text = repr(running.records)
    hidden = (
        answer["code"],
        attempt.code_verifier,
        found.id_token,
        "样例经办甲",
        "021-70000011",
        "样例路 1 号",
    )
    assert [word for word in hidden if word in text] == []
    assert "样例管线建设有限公司" in text


def _hs256(claims, kid, secret):
    parts = [{"alg": "HS256", "typ": "JWT", "kid": kid}, claims]
    text = ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts)
    mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
