"""Simulator of the identity service: an OpenID Connect provider for sample enterprises."""

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
import time
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from domain.ports.partner import partner
from integrations.identity.client import access_token_hash, code_challenge
from integrations.samples import read_samples
from integrations.simulators.pages import page
from integrations.simulators.simulator import Simulator, fault_kind
from integrations.simulators.store import Store

CLIENT_ID = "guitu"
CODE_SECONDS = 60
TOKEN_SECONDS = 300
SCHEMA = """
CREATE TABLE IF NOT EXISTS identity_key (
    kid TEXT PRIMARY KEY, private TEXT NOT NULL, position INTEGER NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS identity_code (
    code TEXT PRIMARY KEY, account TEXT NOT NULL, redirect_uri TEXT NOT NULL, nonce TEXT NOT NULL,
    challenge TEXT NOT NULL, expires_at INTEGER NOT NULL, is_used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS identity_access (
    token TEXT PRIMARY KEY, account TEXT NOT NULL, expires_at INTEGER NOT NULL
);
"""
TOKEN_FAULTS = (
    "wrong_nonce",
    "wrong_audience",
    "wrong_issuer",
    "wrong_key",
    "wrong_access_hash",
    "expired",
    "from_future",
    "unsigned",
)
_ASKED = ("redirect_uri", "state", "nonce", "code_challenge")


def identity_simulator(store: Store, issuer: str, client_secret: str) -> Simulator:
    """Build the simulator; `issuer` is the address under which browser and portal reach it."""
    provider = _Provider(store, issuer, client_secret)
    return Simulator(
        partner=partner("identity"),
        routes=[
            Route("/.well-known/openid-configuration", provider.configuration),
            Route("/authorize", provider.authorize),
            Route("/sign-in", provider.sign_in, methods=["POST"]),
            Route("/token", provider.token, methods=["POST"]),
            Route("/jwks", provider.keys),
            Route("/userinfo", provider.userinfo),
            Route("/end-session", provider.end_session),
        ],
        schema=SCHEMA,
        seed=_seed,
        principal_fields=("id_token", "credit_code", "issuer", "keys"),
        refusal=("access_denied", "该企业的实名认证已失效"),
        own_faults=(*TOKEN_FAULTS, "other_subject"),
        is_signed=False,
        tables=("identity_code", "identity_access", "identity_key"),
    )


def rotate_keys(store: Store, *, keep_old: bool) -> str:
    """Sign with a new key from now on and return its id; old keys stay published only if asked."""
    with store.write() as db:
        if not keep_old:
            db.execute("DELETE FROM identity_key")
        return _add_key(db)


class _Provider:
    def __init__(self, store: Store, issuer: str, client_secret: str) -> None:
        self._store = store
        self._issuer = issuer
        self._client_secret = client_secret
        self._enterprises = {entry["account"]: entry for entry in read_samples(__file__)["enterprises"]}

    async def configuration(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self._issuer,
                "authorization_endpoint": f"{self._issuer}/authorize",
                "token_endpoint": f"{self._issuer}/token",
                "jwks_uri": f"{self._issuer}/jwks",
                "userinfo_endpoint": f"{self._issuer}/userinfo",
                "end_session_endpoint": f"{self._issuer}/end-session",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "scopes_supported": ["openid", "enterprise"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        fault = _request_fault(asked)
        if fault:
            return page("fault.html", 400, title="登录请求不合格", text=fault)
        return self._login_page(asked, None)

    async def sign_in(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        fault = _request_fault(form)
        if fault:
            return page("fault.html", 400, title="登录请求不合格", text=fault)
        if "cancel" in form:
            back = {"error": "access_denied", "error_description": "用户取消登录"}
            return self._return(form, back)
        enterprise = self._enterprises.get(form.get("account", ""))
        password = str(form.get("password", ""))
        if enterprise is None or not hmac.compare_digest(enterprise["password"].encode(), password.encode()):
            return self._login_page(form, "账号或密码不正确，请核对后重新填写。")
        if enterprise["status"] != "active":
            return self._login_page(form, "该账号已停用，请换一个样例企业登录。")
        return self._return(form, {"code": self._issue_code(form)})

    async def token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not self._is_client(request.headers.get("authorization", "")):
            return _oauth_error("invalid_client", "客户端编号或密钥不正确", 401)
        if form.get("grant_type") != "authorization_code":
            return _oauth_error("unsupported_grant_type", "只支持授权码")
        with self._store.write() as db:
            row = _redeem(db, form)
        if row is None:
            return _oauth_error("invalid_grant", "授权码无效、过期、已用过，或与发起时的参数不符")
        return self._tokens(request, row)

    async def keys(self, request: Request) -> Response:
        rows = self._store.all("SELECT * FROM identity_key ORDER BY position")
        keys = [RSAKey.import_key(json.loads(row["private"])).as_dict(private=False) for row in rows]
        published = [{**key, "kid": row["kid"], "use": "sig"} for key, row in zip(keys, rows, strict=True)]
        return JSONResponse({"keys": published})

    async def userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        sql = "SELECT account FROM identity_access WHERE token = ? AND expires_at > ?"
        row = self._store.one(sql, token, int(time.time()))
        if scheme.lower() != "bearer" or row is None:
            return _oauth_error("invalid_token", "访问令牌无效或已过期", 401)
        enterprise = self._enterprises[row["account"]]
        names = (
            "credit_code",
            "organisation_name",
            "legal_representative",
            "handler_name",
            "handler_phone",
            "address",
        )
        is_other = fault_kind(request) == "other_subject"
        subject = "sample-enterprise-other" if is_other else enterprise["subject"]
        return JSONResponse({"sub": subject, **{name: enterprise[name] for name in names}})

    async def end_session(self, request: Request) -> Response:
        address = request.query_params.get("post_logout_redirect_uri", "")
        if not address:
            return page("fault.html", title="已退出", text="已退出仿真登录。")
        if not _is_loopback(address):
            return page("fault.html", 400, title="退出请求不合格", text="返回地址不是本机地址，未跳转。")
        return RedirectResponse(address, 303)

    def _login_page(self, asked: Mapping[str, str], fault: str | None) -> Response:
        kept = {
            name: asked[name] for name in (*_ASKED, "client_id", "response_type", "code_challenge_method")
        }
        return page(
            "sign_in.html",
            422 if fault else 200,
            action=f"{self._issuer}/sign-in",
            kept={**kept, "scope": asked["scope"]},
            enterprises=list(self._enterprises.values()),
            account=asked.get("account", ""),
            fault=fault,
        )

    def _return(self, form: Mapping[str, str], answer: Mapping[str, str]) -> Response:
        query = {**answer, "state": form["state"], "iss": self._issuer}
        joint = "&" if urlsplit(form["redirect_uri"]).query else "?"
        return RedirectResponse(f"{form['redirect_uri']}{joint}{urlencode(query)}", 303)

    def _issue_code(self, form: Mapping[str, str]) -> str:
        code = secrets.token_urlsafe(32)
        expires_at = int(time.time()) + CODE_SECONDS
        values = (
            code,
            form["account"],
            form["redirect_uri"],
            form["nonce"],
            form["code_challenge"],
            expires_at,
        )
        with self._store.write() as db:
            db.execute("INSERT INTO identity_code VALUES (?, ?, ?, ?, ?, ?, 0)", values)
        return code

    def _is_client(self, header: str) -> bool:
        pair = f"{CLIENT_ID}:{self._client_secret}".encode()
        expected = f"Basic {base64.b64encode(pair).decode()}"
        return hmac.compare_digest(header.encode(), expected.encode())

    def _tokens(self, request: Request, row: sqlite3.Row) -> Response:
        access_token = secrets.token_urlsafe(32)
        with self._store.write() as db:
            values = (access_token, row["account"], int(time.time()) + TOKEN_SECONDS)
            db.execute("INSERT INTO identity_access VALUES (?, ?, ?)", values)
        return JSONResponse(
            {
                "access_token": access_token,
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
                "id_token": self._id_token(row, access_token, fault_kind(request)),
            },
            headers={"cache-control": "no-store"},
        )

    def _id_token(self, row: sqlite3.Row, access_token: str, fault: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "sub": self._enterprises[row["account"]]["subject"],
            "aud": CLIENT_ID,
            "exp": now + TOKEN_SECONDS,
            "iat": now,
            "nonce": row["nonce"],
            "at_hash": access_token_hash(access_token),
        }
        claims |= _spoilt_claims(fault, now)
        if fault == "unsigned":
            return _unsigned(claims)
        signing = self._store.one("SELECT * FROM identity_key ORDER BY position DESC LIMIT 1")
        key = RSAKey.import_key(json.loads(signing["private"]))
        if fault == "wrong_key":
            key = RSAKey.generate_key(2048)
        return jwt.encode({"alg": "RS256", "kid": signing["kid"]}, claims, key)


def _request_fault(asked: Mapping[str, str]) -> str | None:
    if asked.get("client_id") != CLIENT_ID:
        return "没有登记这个客户端编号。"
    if not _is_loopback(asked.get("redirect_uri", "")):
        return "返回地址不是本机地址，仿真端只为本机的系统登录。"
    if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
        return "只支持授权码方式，且范围须含 openid。"
    if asked.get("code_challenge_method") != "S256" or not all(asked.get(name) for name in _ASKED):
        return "缺少 state、nonce 或 PKCE 参数。"
    return None


def _is_loopback(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def _redeem(db: sqlite3.Connection, form: Mapping[str, str]) -> sqlite3.Row | None:
    row = db.execute("SELECT * FROM identity_code WHERE code = ?", (form.get("code"),)).fetchone()
    if row is None or row["is_used"] or row["expires_at"] <= time.time():
        return None
    # A code is spent by the first attempt, right or wrong.
    db.execute("UPDATE identity_code SET is_used = 1 WHERE code = ?", (row["code"],))
    is_right = form.get("redirect_uri") == row["redirect_uri"] and hmac.compare_digest(
        code_challenge(form.get("code_verifier", "")), row["challenge"]
    )
    return row if is_right else None


def _spoilt_claims(fault: str, now: int) -> dict[str, Any]:
    spoilt: dict[str, dict[str, Any]] = {
        "wrong_nonce": {"nonce": "sample-other-nonce"},
        "wrong_audience": {"aud": "sample-other-client"},
        "wrong_issuer": {"iss": "http://127.0.0.1:9/identity"},
        "wrong_access_hash": {"at_hash": access_token_hash("sample-other-token")},
        "expired": {"iat": now - 7200, "exp": now - 3600},
        "from_future": {"iat": now + 3600, "exp": now + 7200},
    }
    return spoilt.get(fault, {})


def _unsigned(claims: Mapping[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def _oauth_error(code: str, text: str, status: int = 400) -> Response:
    return JSONResponse({"error": code, "error_description": text}, status_code=status)


def _add_key(db: sqlite3.Connection, key: RSAKey | None = None) -> str:
    key = key or RSAKey.generate_key(2048)
    kid = f"sample-{hashlib.sha256(key.as_pem(private=False)).hexdigest()[:16]}"
    position = db.execute("SELECT coalesce(max(position), 0) + 1 FROM identity_key").fetchone()[0]
    private = json.dumps(key.as_dict(private=True))
    db.execute("INSERT INTO identity_key VALUES (?, ?, ?)", (kid, private, position))
    return kid


@cache
def _first_key() -> RSAKey:
    """The key that the sample data begin with: made anew by every process, but not by every reset."""
    return RSAKey.generate_key(2048)


def _seed(db: sqlite3.Connection) -> None:
    _add_key(db, _first_key())
