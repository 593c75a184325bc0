"""HTML pages. They load their own files alone, have no inline code or style, and stand in no frame.

All their addresses are relative, so that they work below any prefix that a proxy adds. No header
says what the prefix is: a client could send one.
"""

from functools import cache
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from customergraph.web.media_types import GRAPHQL_JSON, JSON, LONGEST_ACCEPT, weighted

STATIC = Path(__file__).parent / "static"
_TEMPLATES = Path(__file__).parent / "templates"
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def wants_html(request: Request) -> bool:
    """Return whether the client is a browser that asks for a page: it accepts HTML at least as much as JSON."""
    accept = ",".join(request.headers.getlist("accept")).lower()
    if request.method != "GET" or len(accept) > LONGEST_ACCEPT:
        return False
    weights = dict(weighted(part) for part in accept.split(","))
    html = weights.get("text/html", 0)
    return html > 0 and html >= max(weights.get(JSON, 0), weights.get(GRAPHQL_JSON, 0))


def page(request: Request, template: str, policy: str, **texts: str) -> Response:
    """Fill a template with texts that are HTML; `policy` names what the page may load and whom it may call."""
    headers = {
        "Content-Security-Policy": f"{_POLICY}; {policy}",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
    }
    # To the folder of `/`, which a proxy may have below a prefix.
    up = "../" * (request.scope["path"].count("/") - 1)
    return HTMLResponse(_template(template).substitute(texts, up=up), headers=headers)


@cache
def _template(name: str) -> Template:
    return Template((_TEMPLATES / name).read_text(encoding="utf-8"))
