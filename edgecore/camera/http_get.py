"""GET as cameras answer it: behind passwords, redirections and certificates of their own making."""

from __future__ import annotations

from base64 import b64encode
from email.message import Message
from http.client import HTTPResponse
from typing import IO, Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import (
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from edgecore.camera.address import asked_for, unverified


class _Login(HTTPDigestAuthHandler):
    """Digest with MD5 where the server offers it, else Basic; once, as cameras lock out who tries again.

    The library's own handlers look at the first offer alone, and try a wrong password six times.
    """

    def __init__(self, passwords: HTTPPasswordMgrWithDefaultRealm) -> None:
        super().__init__(passwords)
        self._passwords = passwords

    def http_error_401(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message
    ) -> HTTPResponse | None:
        offers = headers.get_all("WWW-Authenticate", [])
        kinds = {offer.split(None, 1)[0].lower(): offer for offer in offers if "sha-" not in offer.lower()}
        answer: HTTPResponse | None = None
        if req.has_header("Authorization"):
            return answer
        if "digest" in kinds:
            answer = self.retry_http_digest_auth(req, kinds["digest"])
        elif "basic" in kinds:
            user, password = self._passwords.find_user_password("", req.full_url)
            if user is not None:
                proof = b64encode(f"{user}:{password}".encode()).decode()
                req.add_unredirected_header("Authorization", f"Basic {proof}")
                answer = self.parent.open(req, timeout=req.timeout)
        return answer


def get(address: str, timeout: float, verify: bool) -> HTTPResponse:
    """The server's answer, with the name and password in the address where it wants them.

    Args:
        address: http or https, with a host.
        timeout: seconds of each wait for the server, also in what is read of the answer.
        verify: whether the server's certificate has to be trusted here.

    Raises HTTPError where the answer is no success, URLError with the error of a connection as `reason`,
    OSError, HTTPException for another protocol, and ValueError for what the library does not understand.
    """
    parts = urlsplit(address)
    url = asked_for(parts)
    handlers: list[Any] = [ProxyHandler({})]  # a camera is near by
    if parts.username is not None:
        passwords = HTTPPasswordMgrWithDefaultRealm()
        # The whole host, as a redirection may lead to another path or to https.
        places = [urljoin(url, "/"), f"http://{parts.hostname}/", f"https://{parts.hostname}/"]
        passwords.add_password(None, places, unquote(parts.username), unquote(parts.password or ""))
        handlers.append(_Login(passwords))
    if not verify:
        handlers.append(HTTPSHandler(context=unverified()))
    request = Request(url, headers={"User-Agent": "edgecore"})
    answer: HTTPResponse = build_opener(*handlers).open(request, timeout=timeout)
    return answer
