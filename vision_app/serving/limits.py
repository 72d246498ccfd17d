"""What holds for every answer of the server: bodies of a bounded size, and headers that browsers should see."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 50 * 1024 * 1024
HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))


class BodyLimit:
    """Answers 413 to a request whose body is too large, whether it says so or only turns out to be.

    Args:
        app: the application behind it.
        max_bytes: the most that a body may have.
    """

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_BODY_BYTES) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting its body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _declared_bytes(scope) > self.max_bytes:
            await _refuse(send, self.max_bytes)
        else:
            await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen, answered = 0, False

        async def counted() -> Message:
            nonlocal seen
            if seen > self.max_bytes:
                return {"type": "http.disconnect"}
            message = await receive()
            seen += len(message.get("body", b""))
            return {"type": "http.disconnect"} if seen > self.max_bytes else message

        async def guarded(message: Message) -> None:
            nonlocal answered
            if answered or seen <= self.max_bytes:
                answered = True
                await send(message)

        try:
            await self.app(scope, counted, guarded)
        except Exception:
            if seen <= self.max_bytes:  # otherwise the application only noticed that its body broke off
                raise
        if not answered and seen > self.max_bytes:
            await _refuse(send, self.max_bytes)


class SafeHeaders:
    """Adds headers that keep browsers from guessing types and from telling other sites where a person was."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add the headers to its answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def _declared_bytes(scope: Scope) -> int:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0


async def _refuse(send: Send, max_bytes: int) -> None:
    sentence = f"Expected a body of at most {max_bytes // 1024**2} MB, got a larger one; send fewer or smaller files."
    body = json.dumps({"error": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
