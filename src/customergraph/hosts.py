"""Names of hosts and origins, as browsers and other clients write them in a request."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

LOCALHOST = "localhost"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)


def is_loopback(name: str) -> bool:
    """Return whether a host name, without brackets, names this machine only."""
    address = _address(name)
    return name == LOCALHOST if address is None else address.is_loopback


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def host_name(text: str) -> str:
    """Return a host name in lower case, an IPv6 address without brackets; raises ValueError for anything else."""
    name = text.lower().removesuffix(".")
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    address = _address(bare)
    if address is not None:
        return str(address)
    if name != bare or not _NAME.fullmatch(name):
        raise ValueError("give the names of hosts alone, without scheme, port or path, like gateway.example")
    return name


def origin(text: str) -> str:
    """Return an origin; raises ValueError, with the right spelling, for one that no browser sends."""
    try:
        parts = urlsplit(text)
        canonical = _canonical(parts)
    except ValueError:
        parts, canonical = SplitResult("", "", "", "", ""), ""
    if not canonical:
        raise ValueError("give exact origins like https://dashboard.example")
    if canonical != text:
        raise ValueError(f"no browser sends the origin {text!r}: write {canonical!r}")
    return text


def _canonical(parts: SplitResult) -> str:
    """Write an origin as browsers do (RFC 6454, section 6.2); empty when it has no host."""
    scheme, port = parts.scheme.lower(), parts.port
    if not _SCHEME.fullmatch(scheme) or not parts.hostname:
        return ""
    name = host_name(parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname)
    shown = f"[{name}]" if ":" in name else name
    return f"{scheme}://{shown}" + ("" if port in {None, _DEFAULT_PORTS.get(scheme)} else f":{port}")


def header_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of headers in lower case; raises ValueError for anything else."""
    headers = tuple(name.lower() for name in names)
    for header in headers:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9a-z-]+", header) or header == "*":
            raise ValueError("give the names of headers, comma separated")
    return headers
