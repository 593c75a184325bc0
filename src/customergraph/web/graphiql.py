"""GraphiQL for browsers. Its code comes from a CDN; the browser runs it only if its hash is the right one."""

from html import escape
from importlib.resources import files
from string import Template

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

CDN = "https://unpkg.com"

# Path under the CDN, which is that of the file in its npm package, and the hash of its bytes.
STYLES = {
    "graphiql@3.8.3/graphiql.min.css": "sha384-Mq3vbRBY71jfjQAt/DcjxUIYY33ksal4cgdRt9U/hNPvHBCaT2JfJ/PTRiPKf0aM",
}
SCRIPTS = {
    "react@18.3.1/umd/react.production.min.js": (
        "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z"
    ),
    "react-dom@18.3.1/umd/react-dom.production.min.js": (
        "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1"
    ),
    "graphiql@3.8.3/graphiql.min.js": "sha384-HbRVEFG0JGJZeAHCJ9Xm2+tpknBQ7QZmNlO/DgZtkZ0aJSypT96YYGRNod99l9Ie",
}

STATIC = files("customergraph.web") / "static"
FIRST_QUERY = (STATIC / "first-query.graphql").read_text(encoding="utf-8")

_POLICY = (
    f"default-src 'none'; connect-src 'self'; script-src 'self' {CDN}; "
    f"style-src 'self' {CDN}; font-src data:; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def wants_html(request: Request) -> bool:
    """Return whether the client is a browser that asks for a page."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def page(token: str | None) -> Response:
    """Return the page, with the token in its headers editor where there is one to give."""
    headers = {"Authorization": f"Bearer {token or ''}"}
    html = Template((STATIC / "graphiql.html").read_text(encoding="utf-8")).substitute(
        query=escape(FIRST_QUERY),
        headers=escape(orjson.dumps(headers, option=orjson.OPT_INDENT_2).decode()),
        styles="\n    ".join(
            f'<link rel="stylesheet" href="{CDN}/{path}" integrity="{digest}" crossorigin="anonymous">'
            for path, digest in STYLES.items()
        ),
        scripts="\n    ".join(
            f'<script src="{CDN}/{path}" integrity="{digest}" crossorigin="anonymous"></script>'
            for path, digest in SCRIPTS.items()
        ),
    )
    return HTMLResponse(
        html, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "Vary": "Accept"}
    )
