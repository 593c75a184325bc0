"""GraphiQL for browsers: from the bundle in this package, or where that could not be made, from a CDN.

The browser runs the CDN's files only if their hashes are the right ones.
"""

from functools import cache
from html import escape

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from customergraph.web import pages

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

# CodeMirror's marks of errors are data.
_POLICY = "connect-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self'"
_CDN_POLICY = (
    f"connect-src 'self'; img-src 'self' data:; script-src 'self' {CDN}; style-src 'self' {CDN}; font-src data:"
)


class Bundle(StaticFiles):
    """The bundle's files, which browsers keep: their names change with their content."""

    def file_response(self, *arguments: object, **named: object) -> Response:
        response = super().file_response(*arguments, **named)  # type: ignore[arg-type]
        if isinstance(response, FileResponse):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def page(request: Request, token: str | None, *, is_open: bool) -> Response:
    """Return the page, with the token where there is one to give; `is_open`: the schema may be read without one."""
    bundled = _bundled()
    if bundled is None:
        return _page_of_cdn(request, token)
    style, script = bundled
    texts = {"style": style, "script": script, "token": escape(token or ""), "open": str(is_open).lower()}
    return pages.page(request, "graphiql.html", _POLICY, **texts)


@cache
def _bundled() -> tuple[str, str] | None:
    """Return the names of the bundle's style and script; None where there is no bundle."""
    names = {path.suffix: path.name for path in (pages.STATIC / "bundle").glob("page-*")}
    return (names[".css"], names[".js"]) if names else None


def _page_of_cdn(request: Request, token: str | None) -> Response:
    """Return the page that has the token in GraphiQL's headers editor."""
    headers = {"Authorization": f"Bearer {token or ''}"}
    return pages.page(
        request,
        "cdn.html",
        _CDN_POLICY,
        query=escape((pages.STATIC / "first-query.graphql").read_text(encoding="utf-8")),
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
