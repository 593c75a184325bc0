"""The head of a usual request: one GraphQL request by POST, as clients usually send it."""

from collections.abc import Callable
from typing import NamedTuple

from starlette.types import Scope

from customergraph.web import body, coding, media_types, request_id
from customergraph.web.bad_request import BadRequest
from customergraph.web.coding import Coding
from customergraph.web.media_types import EVENT_STREAM

_BEARER = b"Bearer "
_KNOWN = {
    b"host": 0,
    b"authorization": 1,
    b"content-type": 2,
    b"accept": 3,
    b"accept-encoding": 4,
    b"content-length": 5,
    b"x-request-id": 6,
}
# A request with one of these is none of the usual ones.
_UNUSUAL = frozenset({b"origin", b"content-encoding"})


class Head(NamedTuple):
    """What the head of a usual request says."""

    secret: str
    media_type: str
    coding: Coding
    request_id: str


def usual(scope: Scope, accepts: Callable[[bytes], bool], body_limit: int) -> Head | None:
    """Read a head in one pass; None for one that is not usual. `accepts` decides on the Host."""
    values: list[bytes | None] = [None] * len(_KNOWN)
    for name, value in scope["headers"]:
        place = _KNOWN.get(name)
        if place is not None:
            if values[place] is not None:
                return None
            values[place] = value
        elif name in _UNUSUAL:
            return None
    host, authorization, content_type, accept, accept_encoding, length, id_ = values
    if host is None or content_type is None or authorization is None or not authorization.startswith(_BEARER):
        return None
    try:
        media_type = media_types.negotiate([(accept or b"").decode("latin-1")])
    except BadRequest:
        return None
    accepted = coding.negotiate((accept_encoding or b"").decode("latin-1").lower())
    secret = authorization[len(_BEARER) :].decode("latin-1").strip()
    is_usual = (
        secret
        and media_type != EVENT_STREAM
        and accepted is not None
        and body.is_json_in_utf_8(content_type.decode("latin-1"))
        and (length is None or (length.isdigit() and int(length) <= body_limit))
        and accepts(host)
    )
    if not is_usual or accepted is None:
        return None
    return Head(secret, media_type, accepted, request_id.of((id_ or b"").decode("latin-1")))
