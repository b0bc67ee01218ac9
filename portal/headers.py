"""Headers that every answer carries: a strict content policy, no framing by others, no sniffing."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'{forms}; frame-ancestors 'self'; frame-src 'self'"
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
    "Accept-CH": "Sec-CH-Prefers-Color-Scheme",
}


class SecurityHeaders:
    """Adds the headers to every response; a page may set a policy of its own before (maps with a nonce)."""

    def __init__(self, app: ASGIApp, is_tls: bool = False, form_targets: tuple[str, ...] = ()) -> None:
        self.app = app
        forms = "".join(f" {target}" for target in form_targets)
        self.headers = {**ALWAYS, "Content-Security-Policy": POLICY.format(forms=forms)}
        if is_tls:
            self.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)
