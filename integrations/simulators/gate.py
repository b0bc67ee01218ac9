"""The signature check before every simulated partner that is called with signed requests."""

from datetime import timedelta

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from integrations.signature import (
    REPLAY_WINDOW_SECONDS,
    SignatureFault,
    body_digest,
    verify_signature,
)
from integrations.simulators.simulator import moment_text, now, refusal
from integrations.simulators.store import Store


class SignatureGate:
    """Lets a request in when it is signed with the shared key, fresh, and not a repetition."""

    def __init__(self, app: ASGIApp, store: Store, key: bytes) -> None:
        self._app = app
        self._store = store
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            self._check(scope)
        except SignatureFault as fault:
            await refusal(f"SIGN-{fault.reason.upper()}", fault.text, status=401)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        query = scope["query_string"].decode("ascii")
        path = scope["raw_path"].decode("ascii").split("?")[0] + (f"?{query}" if query else "")
        digest = body_digest([scope["simulator_body"]])
        headers = Headers(scope=scope)
        signed = verify_signature({"guitu": self._key}, scope["method"], path, headers, digest, now())
        self._use_nonce(signed.nonce)

    def _use_nonce(self, nonce: str) -> None:
        oldest = moment_text(now() - timedelta(seconds=2 * REPLAY_WINDOW_SECONDS))
        with self._store.write() as db:
            db.execute("DELETE FROM nonce WHERE at < ?", (oldest,))
            cursor = db.execute("INSERT OR IGNORE INTO nonce VALUES (?, ?)", (nonce, moment_text(now())))
            if cursor.rowcount == 0:
                raise SignatureFault("replayed", "该请求已经收到过，一次性编号重复")
