"""HTTP byte by byte, for what no HTTP client would send."""

import socket
import time

from support.node import LIMIT


class RawHttp:
    """One TCP connection to a node."""

    def __init__(self, node, limit=LIMIT):
        self.socket = socket.create_connection((node.host, node.port), timeout=limit)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def try_send(self, data):
        """As much as the other side takes before it closes."""
        try:
            self.send(data)
        except OSError:
            pass

    def trickle(self, data, pause, limit):
        """Sends a byte now and then until the other side answers, or `limit` is over. True where it answered."""
        until = time.monotonic() + limit
        for byte in data:
            self.try_send(bytes([byte]))
            self.socket.settimeout(pause)
            try:
                received = self.socket.recv(1 << 16)
                self.buffer += received
                return True
            except TimeoutError:
                pass
            except OSError:
                return True
            if time.monotonic() > until:
                return False
        return False

    def _more(self):
        try:
            received = self.socket.recv(1 << 16)
        except ConnectionError:
            return False
        self.buffer += received
        return bool(received)

    def answer(self, limit=LIMIT, head=False):
        """The next answer: (status, headers, body); None where the connection ends first."""
        self.socket.settimeout(limit)
        while b"\r\n\r\n" not in self.buffer:
            if not self._more():
                return None
        block, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *fields = block.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        status = int(first.split()[1])
        length = 0 if head or status in (204, 304) or status < 200 else int(headers["content-length"])
        while len(self.buffer) < length:
            if not self._more():
                raise AssertionError(f"an answer of {length} bytes ends after {len(self.buffer)}")
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, headers, body

    def statuses(self, limit=LIMIT):
        """The statuses of all answers until the other side closes."""
        statuses = []
        until = time.monotonic() + limit
        while True:
            answer = self.answer(max(until - time.monotonic(), 0.001))
            if answer is None:
                return statuses
            statuses.append(answer[0])


def request(node, method="POST", target="/rpc", headers=None, body=b"", version="HTTP/1.1"):
    """A request's bytes; Host and Content-Length unless `headers` says otherwise (None: left out)."""
    fields = {"Host": node.address}
    if body:
        fields["Content-Length"] = str(len(body))
    fields.update(headers or {})
    lines = [f"{method} {target} {version}"] + [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
