"""One request to a camera's server over HTTP or RTSP, and its answer; no wait outlasts a deadline.

The library's http.client bounds each receive, not their sum: a server that sends a byte now and then would
hold it for ever.
"""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import time
from base64 import b64encode
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Self
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

RECEIVE = 1 << 16
HEAD_LIMIT = 1 << 16  # bytes of an answer's headers
REDIRECTIONS = 5
PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
CHUNK = re.compile(rb"(?:\r\n)?([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r]*)?\r\n")


class Garbled(Exception):
    """What came is not what the protocol says; the text says what, of the server."""


FAILURES = (OSError, EOFError, Garbled)  # OSError holds TimeoutError


def split(address: str) -> SplitResult:
    """The parts of an address. Raises ValueError: no host, or a port that is none."""
    parts = urlsplit(address)
    if not parts.hostname or parts.port == 0:
        raise ValueError
    return parts


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.0)


def _connected(parts: SplitResult, deadline: float, verify: bool) -> socket.socket:
    port = parts.port or PORTS[parts.scheme]
    places = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    failure: OSError = TimeoutError()
    for index, (family, kind, protocol, _, place) in enumerate(places):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(max(_left(deadline) / (len(places) - index), 0.001))
            connection.connect(place)
            if parts.scheme in ("https", "rtsps"):
                context = ssl.create_default_context()
                if not verify:
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                connection = context.wrap_socket(connection, server_hostname=parts.hostname)
            return connection
        except OSError as error:
            connection.close()
            failure = error
    raise failure


class Answer:
    """A server's answer: its status, its headers, and its body as it comes.

    What waits raises TimeoutError at `deadline`, a time of time.monotonic(), EOFError where the connection
    ends, OSError where it breaks, and Garbled. `place` is where in the received part of the body the next
    byte is taken; to set it back takes bytes again that were taken since forget().
    """

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.deadline = deadline
        self.status = 0
        self.headers = Message()
        self.place = 0
        self._connection = connection
        self._body = bytearray()
        self._wire = bytearray()  # of a chunked body: received, the chunks' sizes among the data
        self._chunk: int | None = None  # bytes that are left of the current chunk; None: not chunked

    @classmethod
    def to(cls, request: str, parts: SplitResult, deadline: float, verify: bool) -> Self:
        """Sends a request and takes the head of its answer."""
        answer = cls(_connected(parts, deadline, verify), deadline)
        try:
            answer._connection.sendall(request.encode("latin-1", "replace"))
            answer._take_head()
        except BaseException:
            answer.close()
            raise
        return answer

    def _take_head(self) -> None:
        first, _, rest = self.until(b"\r\n\r\n", HEAD_LIMIT).partition(b"\r\n")
        words = first.split(None, 2)
        if len(words) < 2 or not words[0].startswith((b"HTTP/", b"RTSP/")) or not words[1].isdigit():
            raise Garbled("speaks another protocol")
        self.status = int(words[1])
        self.headers = BytesHeaderParser().parsebytes(rest)
        self.forget()
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            self._wire, self._body, self._chunk = self._body, bytearray(), 0

    def _receive(self) -> bytes:
        self._connection.settimeout(_left(self.deadline))
        try:
            data = self._connection.recv(RECEIVE)
        except (BlockingIOError, ssl.SSLWantReadError):
            raise TimeoutError from None
        if not data:
            raise EOFError
        return data

    def _grow(self) -> None:
        """Receives some of the body."""
        if self._chunk is None:
            self._body += self._receive()
            return
        while self._chunk == 0:
            size = CHUNK.match(self._wire)
            if size is None and len(self._wire) > HEAD_LIMIT:
                raise Garbled("sends chunks without sizes")
            if size is None:
                self._wire += self._receive()
                continue
            self._chunk = int(size[1], 16)  # before the bytes go that the match looks at
            del self._wire[: size.end()]
            if self._chunk == 0:
                raise EOFError
        if not self._wire:
            self._wire += self._receive()
        piece = self._wire[: self._chunk]
        del self._wire[: self._chunk]
        self._chunk -= len(piece)
        self._body += piece

    def until(self, marker: bytes, limit: int) -> bytes:
        """The body's bytes before a marker, which is taken too."""
        start = self.place
        while (end := self._body.find(marker, start)) < 0:
            if len(self._body) - self.place > limit:
                raise Garbled(f"sends over {limit} bytes without an end")
            start = max(len(self._body) - len(marker) + 1, self.place)
            self._grow()
        data = bytes(self._body[self.place : end])
        self.place = end + len(marker)
        return data

    def exactly(self, count: int) -> bytes:
        """The body's next `count` bytes."""
        while len(self._body) < self.place + count:
            self._grow()
        data = bytes(self._body[self.place : self.place + count])
        self.place += count
        return data

    def forget(self) -> None:
        """Frees the memory of what was taken."""
        del self._body[: self.place]
        self.place = 0

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


def _authorization(challenge: str, parts: SplitResult, method: str, target: str) -> str | None:
    """The header that answers a challenge, by RFC 7617 (Basic) or RFC 2617 (Digest with MD5)."""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    kind, _, rest = challenge.partition(" ")
    if kind.lower() == "basic":
        return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    try:
        asked = parse_keqv_list(parse_http_list(rest))
    except ValueError:
        return None
    if kind.lower() != "digest" or asked.get("algorithm", "MD5").upper() != "MD5":
        return None

    def md5(*words: str) -> str:
        return hashlib.md5(":".join(words).encode(), usedforsecurity=False).hexdigest()

    realm, nonce = asked.get("realm", ""), asked.get("nonce", "")
    secret, wanted = md5(user, realm, password), md5(method, target)
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": target}
    if "auth" in re.split(r"\s*,\s*", asked.get("qop", "")):
        count, mine = "00000001", md5(nonce, str(time.monotonic_ns()))[:16]
        fields |= {"cnonce": mine, "response": md5(secret, nonce, count, mine, "auth", wanted)}
        more = f", qop=auth, nc={count}"
    else:
        fields["response"] = md5(secret, nonce, wanted)
        more = ""
    if "opaque" in asked:
        fields["opaque"] = asked["opaque"]
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items()) + more


def _redirected(parts: SplitResult, location: str) -> str:
    """A new address, with the old one's name and password where the host is the same."""
    try:
        new = split(urljoin(parts.geturl(), location))
    except ValueError:
        raise Garbled("redirects to an address that is none") from None
    if new.scheme not in ("http", "https"):
        raise Garbled("redirects to another protocol")
    if new.hostname == parts.hostname and "@" in parts.netloc and "@" not in new.netloc:
        new = new._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{new.netloc}")
    return new.geturl()


def unreached(error: Exception) -> str:
    """What an OSError says of a server."""
    match error:
        case ConnectionRefusedError():
            return "refuses the connection; check the port and that its server runs"
        case socket.gaierror():
            return "is on a host whose name nobody knows; check the name and the network"
        case ssl.SSLCertVerificationError():
            return "has no certificate that is trusted here; #verify=0 does without"
        case OSError():
            return f"cannot be reached: {error.strerror or error}"
    return str(error)


def ask(method: str, address: str, deadline: float, verify: bool = True) -> Answer:
    """Asks for an address, with the name and password in it where the server wants them; follows HTTP's
    redirections. `verify`: whether the server's certificate has to be trusted.

    Raises what Answer does, OSError without a connection, ValueError for an address that is none.
    """
    for _ in range(REDIRECTIONS):
        parts = split(address)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
        if parts.scheme in ("http", "https"):
            wanted, version = bare._replace(scheme="", netloc="", path=bare.path or "/").geturl(), "HTTP/1.0"
        else:
            wanted, version = bare.geturl(), "RTSP/1.0"
        target = quote(wanted, safe="/%:=&?~#+!$,;'@()*[]")
        head = [f"{method} {target} {version}", f"Host: {bare.netloc}", "User-Agent: edgecore", "CSeq: 1"]
        answer = Answer.to("\r\n".join([*head, "", ""]), parts, deadline, verify)
        if answer.status == 401 and parts.username is not None:
            challenges = answer.headers.get_all("WWW-Authenticate", [])
            answers = [_authorization(challenge, parts, method, target) for challenge in challenges]
            proofs = [text for text in answers if text is not None]
            if proofs:
                answer.close()
                proof = max(proofs, key=lambda text: text.startswith("Digest"))
                request = "\r\n".join([*head, f"Authorization: {proof}", "", ""])
                answer = Answer.to(request, parts, deadline, verify)
        elsewhere = answer.headers.get("Location")
        if version == "RTSP/1.0" or answer.status not in (301, 302, 303, 307, 308) or elsewhere is None:
            return answer
        answer.close()
        address = _redirected(parts, elsewhere)
    raise Garbled("redirects in a circle")
