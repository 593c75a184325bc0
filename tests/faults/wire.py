"""A connection to a database server that a test can cut."""

import socket
from contextlib import suppress
from threading import Lock, Thread
from typing import Self

from sqlalchemy.engine import make_url

from faults.expectations import PROMISED_SECONDS


def on_port(url: str, port: int) -> str:
    """Return the URL of the same store behind another port."""
    return make_url(url).set(port=port).render_as_string(hide_password=False)


class Wire:
    """Carries connections to a server, and records what clients sent; a word in a client's message can cut it.

    `cut_at` sets the word. The message with the word is delivered or lost; in both cases the clients
    receive nothing more, on any connection, until `mend` is called.
    """

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self._changing = Lock()
        self._word = b""
        self._delivered = False
        self._is_cut = False
        self.sent = b""
        Thread(target=self._accept, daemon=True).start()

    def cut_at(self, word: str, *, delivered: bool) -> None:
        self._word, self._delivered = word.encode(), delivered

    def mend(self) -> None:
        self._word, self._is_cut = b"", False

    def cut(self) -> None:
        """End every connection, and refuse new ones."""
        with self._changing:
            self._is_cut = True
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
                continue
            server = socket.create_connection(self._to)
            with self._changing:
                self._open += (client, server)
            Thread(target=self._carry_requests, args=(client, server), daemon=True).start()
            Thread(target=self._carry_answers, args=(server, client), daemon=True).start()

    def _carry_requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client:
            while message := client.recv(65536):
                self.sent += message
                if self._word and self._word in message:
                    self._cut_with(message, server)
                    return
                server.sendall(message)
            server.shutdown(socket.SHUT_WR)

    def _cut_with(self, message: bytes, server: socket.socket) -> None:
        self._is_cut = True
        if self._delivered:
            server.sendall(message)
            server.settimeout(PROMISED_SECONDS)
            # `_carry_answers` drops the answer.
        else:
            self.cut()

    def _carry_answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError), server:
            while message := server.recv(65536):
                if self._is_cut:
                    self.cut()
                    return
                client.sendall(message)
            client.shutdown(socket.SHUT_WR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.cut()
        self._listening.close()
