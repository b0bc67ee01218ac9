"""The one HTTP client that all partners are called with.

It signs, limits time and size, and reports each exchange once. It never repeats a request: that is the
outbox's work, which knows the business key.
"""

import json
import ssl
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, BinaryIO

import httpcore
import httpx

from domain.ports.declared import note_asking
from domain.ports.errors import OutsideSystemDown, PartnerAnswerInvalid
from domain.ports.partner import Partner
from domain.ports.record import ExchangeRecord, Observer
from integrations.deadline import Deadline, DeadlineBackend
from integrations.redaction import readable, redact
from integrations.signature import CORRELATION_HEADER, body_digest, signature_headers


@cache
def _trusted() -> ssl.SSLContext:
    """Whom the machine trusts, read once a process: reading costs more than an exchange with a near partner."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one exchange may take, in seconds, and how large its answer may be, in bytes."""

    connect_s: float = 3.0
    read_s: float = 10.0
    total_s: float = 30.0
    answer_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a partner answered, unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    correlation_id: str


@dataclass(frozen=True)
class Connection:
    """How to reach one partner; without a key requests go unsigned (OpenID Connect brings its own proof).

    Without a base address the partner is not connected: every call raises OutsideSystemDown, nothing is sent.
    """

    partner: Partner
    base_url: str
    key: bytes | None = None
    key_id: str = "guitu"
    limits: Limits = field(default_factory=Limits)
    observer: Observer | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        correlation_id: str | None = None,
    ) -> Answer:
        """Send a GET. Raises OutsideSystemDown, or PartnerAnswerInvalid when the answer is too large."""
        request = httpx.Request("GET", self.base_url + path, params=query, headers=headers)
        return self.send(request, correlation_id)

    def post_json(self, path: str, value: Any, correlation_id: str | None = None) -> Answer:
        """Send a JSON document. Raises as `get` does."""
        content = json.dumps(value, ensure_ascii=False).encode("utf-8")
        headers = {"content-type": "application/json; charset=utf-8"}
        request = httpx.Request("POST", self.base_url + path, content=content, headers=headers)
        return self.send(request, correlation_id)

    def post_form(self, path: str, fields: Mapping[str, str], correlation_id: str | None = None) -> Answer:
        """Send form fields. Raises as `get` does."""
        return self.send(httpx.Request("POST", self.base_url + path, data=dict(fields)), correlation_id)

    def post_file(
        self,
        path: str,
        fields: Mapping[str, str],
        file_name: str,
        content: BinaryIO,
        correlation_id: str | None = None,
    ) -> Answer:
        """Send form fields and one file, streamed from its beginning. Raises as `get` does."""
        content.seek(0)
        files = {"package": (file_name, content, "application/zip")}
        request = httpx.Request("POST", self.base_url + path, data=dict(fields), files=files)
        return self.send(request, correlation_id)

    def send(self, request: httpx.Request, correlation_id: str | None = None) -> Answer:
        """Sign and send a request, once."""
        note_asking(self.partner.key)
        exchange = _Exchange(self, request, correlation_id or uuid.uuid4().hex)
        return exchange.run()


class _Exchange:
    """One request on its way: knows how far it came, so that a fault can say whether it took effect."""

    def __init__(self, connection: Connection, request: httpx.Request, correlation_id: str) -> None:
        self.connection = connection
        self.request = request
        self.correlation_id = correlation_id
        self.sent_at = connection.now()
        self.started = time.monotonic()
        self.status: int | None = None
        self.body = b""

    def run(self) -> Answer:
        if not self.connection.base_url:
            raise self._down("尚未配置对接地址", False)
        self._add_headers()
        try:
            answer = self._transfer()
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise self._down("无法建立连接", False) from error
        except httpcore.TimeoutException as error:
            raise self._down("等待应答超时", True) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise self._down("连接在应答完成前断开", True) from error
        if answer.status >= 500 or answer.status == 429:
            raise self._down(f"返回状态码 {answer.status}", True)
        self._report(None)
        return answer

    def _add_headers(self) -> None:
        request, connection = self.request, self.connection
        request.headers[CORRELATION_HEADER] = self.correlation_id
        request.headers.setdefault("accept", "application/json")
        request.headers["accept-encoding"] = "identity"
        if connection.key is None:
            return
        path = request.url.raw_path.decode("ascii")
        # The body is read twice, once for its digest: a multipart stream rewinds its file by itself.
        digest = body_digest(request.stream)
        request.headers.update(
            signature_headers(connection.key_id, connection.key, request.method, path, digest, self.sent_at)
        )

    def _transfer(self) -> Answer:
        limits = self.connection.limits
        backend = DeadlineBackend(Deadline(limits.total_s))
        # A request without a body must not announce one: httpcore would send an empty stream as chunks.
        content = self.request.stream if "content-length" in self.request.headers else None
        timeout = {"connect": limits.connect_s, "read": limits.read_s, "write": limits.read_s}
        with (
            httpcore.ConnectionPool(ssl_context=_trusted(), network_backend=backend) as pool,
            pool.stream(
                self.request.method,
                str(self.request.url),
                headers=self.request.headers.raw,
                content=content,
                extensions={"timeout": timeout},
            ) as response,
        ):
            return self._receive(response)

    def _receive(self, response: httpcore.Response) -> Answer:
        self.status = response.status
        chunks, size = [], 0
        for chunk in response.iter_stream():
            size += len(chunk)
            if size > self.connection.limits.answer_bytes:
                raise self._too_large()
            chunks.append(chunk)
        self.body = b"".join(chunks)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
        }
        return Answer(response.status, headers, self.body, self.correlation_id)

    def _too_large(self) -> PartnerAnswerInvalid:
        fault = f"超过 {self.connection.limits.answer_bytes} 字节的上限"
        self._report(fault)
        return PartnerAnswerInvalid(self.connection.partner, "应答正文", fault, self.correlation_id)

    def _down(self, reason: str, effect_unknown: bool) -> OutsideSystemDown:
        self._report(reason)
        return OutsideSystemDown(
            self.connection.partner,
            reason,
            effect_unknown=effect_unknown,
            correlation_id=self.correlation_id,
        )

    def _report(self, fault: str | None) -> None:
        if self.connection.observer is None:
            return
        request = self.request
        is_file = "multipart/" in request.headers.get("content-type", "")
        self.connection.observer(
            ExchangeRecord(
                partner=self.connection.partner.key,
                method=request.method,
                path=redact(request.url.raw_path.decode("ascii")),
                correlation_id=self.correlation_id,
                sent_at=self.sent_at,
                duration_ms=round((time.monotonic() - self.started) * 1000),
                request_size=int(request.headers.get("content-length", "0")),
                request_text="（文件包）" if is_file else readable(request.read()),
                status=self.status,
                answer_text=readable(self.body),
                fault=fault,
            )
        )
