"""Client of the identity service: OpenID Connect, authorization code with PKCE, everything verified.

Nothing is kept between calls: discovery and keys are read anew for every sign-in, so a rotated key is
known at once. Sources: OpenID Connect Core 1.0 sections 3.1.2.7, 3.1.3.7, 5.3.2; RFC 7636; RFC 9207.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from domain.ports.errors import PartnerAnswerInvalid, PartnerRefused
from domain.ports.identity import Enterprise, LoginAttempt, SignIn
from integrations.answer import Fields, read_json
from integrations.http import Answer, Connection

CLOCK_SKEW_SECONDS = 60
_LONGEST_AGE_SECONDS = 600
_SCOPE = "openid enterprise"
_CREDIT_CODE = r"[0-9A-HJ-NPQRTUWXY]{18}"
_SMALLEST_MODULUS_CHARACTERS = 342  # 2048 bits in base64url


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses that the provider publishes."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    end_session: str


class IdentityClient:
    """Signs enterprises in through the identity service; the issuer is the base address of the connection."""

    def __init__(self, connection: Connection, client_id: str, client_secret: str) -> None:
        self._connection = connection
        self._partner = connection.partner
        self._client_id = client_id
        self._client_secret = client_secret

    @property
    def issuer(self) -> str:
        """The address that names the service; with a subject it names one person for ever."""
        return self._connection.base_url

    def begin_login(self, redirect_uri: str) -> LoginAttempt:
        """Prepare a sign-in: the address to send the browser to, and the secrets to keep in the session."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": _SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        url = f"{self._endpoints().authorization}?{urlencode(query)}"
        return LoginAttempt(url, state, nonce, verifier, redirect_uri)

    def finish_login(self, attempt: LoginAttempt, answer: Mapping[str, str]) -> SignIn:
        """Turn the query of the return address into a verified sign-in."""
        code = self._code(attempt, answer)
        endpoints = self._endpoints()
        access_token, id_token = self._exchange_code(endpoints, attempt, code)
        claims = self._verified_claims(endpoints, id_token, access_token, attempt.nonce)
        subject = claims.text("sub", r"[!-~]{1,255}")
        enterprise = self._enterprise(endpoints, access_token, subject)
        signed_in_at = datetime.fromtimestamp(claims.count("iat"), UTC)
        return SignIn(subject, enterprise, signed_in_at, id_token)

    def end_session_url(self, id_token: str, return_uri: str) -> str:
        """Return the address that ends the session at the identity service."""
        query = {"id_token_hint": id_token, "post_logout_redirect_uri": return_uri}
        return f"{self._endpoints().end_session}?{urlencode(query)}"

    def _endpoints(self) -> Endpoints:
        answer = self._connection.get("/.well-known/openid-configuration")
        fields = self._read(answer)
        if fields.text("issuer") != self._connection.base_url:
            fields.fail("issuer", f"不是约定的 {self._connection.base_url}")
        return Endpoints(
            authorization=_safe_address(fields, "authorization_endpoint"),
            token=_safe_address(fields, "token_endpoint"),
            keys=_safe_address(fields, "jwks_uri"),
            userinfo=_safe_address(fields, "userinfo_endpoint"),
            end_session=_safe_address(fields, "end_session_endpoint"),
        )

    def _code(self, attempt: LoginAttempt, answer: Mapping[str, str]) -> str:
        # The state comes first: until it fits, nothing in the address was said to this visitor.
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise self._invalid("state", "与发起登录时的不符，可能不是本次登录的返回")
        if answer.get("iss", self._connection.base_url) != self._connection.base_url:
            raise self._invalid("iss", "不是约定的身份认证服务")
        if "error" in answer:
            raise PartnerRefused(
                self._partner, answer["error"], answer.get("error_description") or "未说明原因"
            )
        if not answer.get("code"):
            raise self._invalid("code", "缺失")
        return answer["code"]

    def _exchange_code(self, endpoints: Endpoints, attempt: LoginAttempt, code: str) -> tuple[str, str]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.code_verifier,
        }
        pair = f"{self._client_id}:{self._client_secret}".encode()
        headers = {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
        request = httpx.Request("POST", endpoints.token, data=form, headers=headers)
        fields = self._read(self._connection.send(request))
        if fields.text("token_type").lower() != "bearer":
            fields.fail("token_type", "不是 Bearer")
        return fields.text("access_token", r"[!-~]{1,4096}"), fields.text("id_token", r"[!-~]{1,8192}")

    def _verified_claims(self, endpoints: Endpoints, id_token: str, access_token: str, nonce: str) -> Fields:
        keys = self._keys(endpoints)
        try:
            token = jwt.decode(id_token, keys, algorithms=["RS256"])
        except (JoseError, ValueError) as error:
            raise self._invalid("id_token", f"签名验证不通过（{type(error).__name__}）") from error
        claims = Fields(self._partner, token.claims, "id_token")
        self._check_parties(claims)
        self._check_times(claims)
        _check_equal(claims, "nonce", nonce, "与发起登录时的不符")
        _check_equal(claims, "at_hash", access_token_hash(access_token), "与访问令牌不符")
        return claims

    def _keys(self, endpoints: Endpoints) -> KeySet:
        answer = self._connection.send(httpx.Request("GET", endpoints.keys))
        keys = [_read_key(item) for item in self._read(answer).objects("keys")]
        try:
            return KeySet.import_key_set({"keys": [key for key in keys if key is not None]})
        except (JoseError, ValueError) as error:
            raise self._invalid("keys", f"不是可用的公钥（{type(error).__name__}）") from error

    def _check_parties(self, claims: Fields) -> None:
        _check_equal(claims, "iss", self._connection.base_url, "不是约定的身份认证服务")
        audience = claims.texts("aud")
        if self._client_id not in audience:
            claims.fail("aud", "不是本系统")
        if len(audience) > 1:
            _check_equal(claims, "azp", self._client_id, "不是本系统")

    def _check_times(self, claims: Fields) -> None:
        now = self._connection.now().timestamp()
        if claims.count("exp") <= now - CLOCK_SKEW_SECONDS:
            claims.fail("exp", "已过期")
        issued_at = claims.count("iat")
        if issued_at > now + CLOCK_SKEW_SECONDS:
            claims.fail("iat", "在未来，请核对双方时钟")
        if issued_at < now - _LONGEST_AGE_SECONDS:
            claims.fail("iat", f"早于 {_LONGEST_AGE_SECONDS} 秒以前，不是本次登录签发的")

    def _enterprise(self, endpoints: Endpoints, access_token: str, subject: str) -> Enterprise:
        headers = {"authorization": f"Bearer {access_token}"}
        answer = self._connection.send(httpx.Request("GET", endpoints.userinfo, headers=headers))
        fields = self._read(answer)
        if fields.text("sub") != subject:
            fields.fail("sub", "与身份令牌中的主体不同")
        enterprise = Enterprise(
            credit_code=fields.text("credit_code", _CREDIT_CODE),
            name=fields.text("organisation_name"),
            legal_representative=fields.text_or_none("legal_representative"),
            handler_name=fields.text("handler_name"),
            handler_phone=fields.text_or_none("handler_phone", r"[0-9+ -]{5,20}"),
            address=fields.text_or_none("address"),
        )
        fields.done()
        return enterprise

    def _read(self, answer: Answer) -> Fields:
        fields = read_json(self._partner, answer.body, answer.correlation_id)
        if answer.status == 200:
            return fields
        if 400 <= answer.status < 500:
            code = fields.text("error", r"[!-~]{1,60}")
            text = fields.text_or_none("error_description") or "未说明原因"
            raise PartnerRefused(self._partner, code, text, (), answer.correlation_id)
        raise fields.fault("", f"的状态码 {answer.status} 不在约定之内")

    def _invalid(self, field: str, fault: str) -> PartnerAnswerInvalid:
        return PartnerAnswerInvalid(self._partner, field, fault)


def code_challenge(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636, section 4.2)."""
    return _base64url(hashlib.sha256(verifier.encode()).digest())


def access_token_hash(access_token: str) -> str:
    """Return at_hash for RS256: the left half of the SHA-256 (OpenID Connect Core, section 3.1.3.6)."""
    return _base64url(hashlib.sha256(access_token.encode()).digest()[:16])


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def _check_equal(claims: Fields, name: str, expected: str, fault: str) -> None:
    if not hmac.compare_digest(claims.text(name).encode(), expected.encode()):
        claims.fail(name, fault)


def _safe_address(fields: Fields, name: str) -> str:
    address = fields.text(name)
    parts = urlsplit(address)
    is_loopback = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback):
        fields.fail(name, "不是加密地址（https）")
    return address


def _read_key(fields: Fields) -> dict[str, str] | None:
    # Keys for other uses or algorithms may stand in the same list; they are no keys for us.
    if fields.text("kty") != "RSA":
        return None
    key = {name: fields.text(name) for name in ("kty", "kid", "n", "e")}
    if len(key["n"]) < _SMALLEST_MODULUS_CHARACTERS:
        fields.fail("n", "短于 2048 位")
    return {**key, "use": "sig", "alg": "RS256"}
