"""Addresses of the network: what HTTP and RTSP share."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import SplitResult, quote, urlsplit

from edgecore.camera.uri import Uri
from edgecore.errors import UserError


def checked(uri: Uri) -> str:
    """The address that a URI names. Raises UserError: no host, or a port that is none."""
    try:
        parts = urlsplit(uri.target)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        like = f"{uri.scheme}://camera"
        raise UserError(f"{uri.text} is no address; give {like}/path or {like}:port/path")
    return uri.target


def asked_for(parts: SplitResult) -> str:
    """An address as a request names it: without user name and password, in ASCII."""
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
    return quote(bare.geturl(), safe="/%:=&?~#+!$,;'@()*[]")


def unverified() -> ssl.SSLContext:
    """TLS with whatever certificate the server has: most cameras made theirs themselves."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def unreached(error: Exception) -> str:
    """What an error of a connection says of a server."""
    match error:
        case ConnectionRefusedError():
            return "refuses the connection; check the port and that its server runs"
        case socket.gaierror() | UnicodeError():
            return "is on a host whose name nobody knows; check the name and the network"
        case ssl.SSLCertVerificationError():
            return "has no certificate that is trusted here; #verify=0 does without"
        case OSError():
            return f"cannot be reached: {error.strerror or error}"
    return "answers what edgecore does not understand; check the address"
