"""A stand-in for a name server, which tests cannot run."""

import ipaddress
import socket
from typing import Any

import pytest


class Names:
    """Answer look-ups of names in turn, with addresses or an error; addresses are looked up as usual."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str] | OSError) -> None:
        self.answers = list(answers)
        real = socket.getaddrinfo

        def look_up(host: Any, port: Any, *args: Any, **options: Any) -> Any:
            try:
                ipaddress.ip_address(host)
            except ValueError:
                answer = self.answers.pop(0)
                if isinstance(answer, OSError):
                    raise answer from None
                return [real(ip, port, *args, **options)[0] for ip in answer]
            return real(host, port, *args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
