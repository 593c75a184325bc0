"""nginx with the site that `customergraph operate` writes, adapted as its comments tell an operator."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from commands.command import PATIENCE_SECONDS, until
from conftest import free_port

# Debian has it where only root looks.
PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
NAME = "gateway.example"
PREFIX = "/customers"
# What a distribution's nginx.conf says around its sites. Everything that nginx writes is in the test's own folder.
_AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log;
events {{}}
http {{
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def adapted(text: str, changes: dict[str, str]) -> str:
    """Return a file with some of its words changed; each of them has to be there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


class Nginx:
    """A server of its own, in front of gateways on some ports of this machine."""

    def __init__(self, folder: Path, site: str, gateways: Sequence[str]) -> None:
        self.folder = folder
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"https://{NAME}:{self.port}{PREFIX}"
        addresses = [url.removeprefix("http://") for url in gateways]
        self._make_certificate()
        changes = {
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "/etc/ssl/certs/gateway.example.pem": str(folder / "certificate.pem"),
            "/etc/ssl/private/gateway.example.key": str(folder / "key.pem"),
            "/var/log/nginx/": f"{folder}/",
            "    server 127.0.0.1:8000;": "\n".join(f"    server {address};" for address in addresses),
        }
        (folder / "site.conf").write_text(adapted(site, changes))
        (folder / "nginx.conf").write_text(_AROUND.format(folder=folder))

    def _make_certificate(self) -> None:
        subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1"]
        files = ["-keyout", f"{self.folder}/key.pem", "-out", f"{self.folder}/certificate.pem"]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
        subprocess.run(command, check=True, capture_output=True)

    def __enter__(self) -> Self:
        command = [str(PROGRAM), "-e", "stderr", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert (tested.returncode, "[warn]" in tested.stderr) == (0, False), tested.stderr
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until(self._listens, "nginx listens")
        return self

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)

    def client(self, authorization: str = "", address: str = "127.0.0.1") -> httpx.Client:
        """Return a client that trusts the certificate, and calls from an address of this machine."""
        trusted = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}{PREFIX}",
            transport=httpx.HTTPTransport(verify=trusted, local_address=address),
            headers={"host": NAME, "authorization": authorization},
            timeout=PATIENCE_SECONDS,
        )

    def curl(self, path: str, *options: str) -> str:
        """Return what curl prints for an address of the site."""
        command = ["curl", "--silent", "--show-error", "--cacert", str(self.folder / "certificate.pem")]
        resolved = ["--resolve", f"{NAME}:{self.port}:127.0.0.1"]
        ran = subprocess.run(
            [*command, *resolved, *options, self.url + path], check=True, capture_output=True, text=True
        )
        return ran.stdout

    def lines(self) -> str:
        """Return what the site has logged."""
        return (self.folder / "customergraph.log").read_text()
