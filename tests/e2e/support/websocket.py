"""A WebSocket client (RFC 6455), small and without manners where a test wants it so."""

import base64
import collections
import hashlib
import itertools
import json
import os
import socket
import struct
import time

from support.node import LIMIT, RpcError

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Closed(Exception):
    """The other side has closed; `code` is its close code, None where it just went."""

    def __init__(self, code=None, reason=""):
        super().__init__(f"closed with {code} {reason}")
        self.code = code
        self.reason = reason


class Refused(Exception):
    """The upgrade was answered with something else than 101."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class WebSocket:
    """One connection. `messages` are texts; whoever reads answers pings meanwhile."""

    def __init__(self, node, path="/ws", headers=None, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(LIMIT)
        self.buffer = b""
        try:
            self.socket.connect((node.host, node.port))
            self._upgrade(node, path, headers or {})
        except BaseException:
            self.socket.close()
            raise

    def _upgrade(self, node, path, headers):
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": node.address, "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", **headers}
        lines = [f"GET {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in fields.items() if value is not None]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            self._receive()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status, *fields = head.decode().split("\r\n")
        self.headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        if status.split()[1] != "101":
            raise Refused(int(status.split()[1]), head.decode())
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert self.headers["sec-websocket-accept"] == base64.b64encode(digest).decode()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Frames

    def _receive(self):
        received = self.socket.recv(1 << 16)
        if not received:
            raise Closed()
        self.buffer += received

    def _take(self, size):
        while len(self.buffer) < size:
            self._receive()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def send_frame(self, opcode, payload=b"", fin=True, masked=True, flags=0):
        first = (0x80 if fin else 0) | flags | opcode
        size = len(payload)
        mask_bit = 0x80 if masked else 0
        if size < 126:
            head = struct.pack("!BB", first, mask_bit | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", first, mask_bit | 126, size)
        else:
            head = struct.pack("!BBQ", first, mask_bit | 127, size)
        if not masked:
            self.socket.sendall(head + payload)
            return
        mask = os.urandom(4)
        repeated = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        hidden = (int.from_bytes(payload, "big") ^ repeated).to_bytes(size, "big") if size else b""
        self.socket.sendall(head + mask + hidden)

    def receive_frame(self):
        """(fin, opcode, payload)"""
        first, second = self._take(2)
        assert not second & 0x80, "a server does not mask"
        assert not first & 0x70, "no extension was agreed on"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._take(8))
        return bool(first & 0x80), first & 0x0F, self._take(size)

    def send(self, text):
        if not isinstance(text, (str, bytes)):
            text = json.dumps(text)
        self.send_frame(TEXT, text.encode() if isinstance(text, str) else text)

    def receive(self, limit=LIMIT):
        """The next message's text. Raises Closed, or TimeoutError after `limit`."""
        self.socket.settimeout(max(limit, 0.001))
        parts = []
        while True:
            fin, opcode, payload = self.receive_frame()
            if opcode == CLOSE:
                code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                raise Closed(code, payload[2:].decode())
            if opcode == PING:
                self.send_frame(PONG, payload)
                continue
            if opcode == PONG:
                continue
            parts.append(payload)
            if fin:
                return b"".join(parts).decode()

    def close_code(self, limit=LIMIT):
        """The code with which the other side closes, whatever else comes before."""
        until = time.monotonic() + limit
        try:
            while True:
                self.receive(until - time.monotonic())
        except Closed as closed:
            return closed.code
        except ConnectionError:
            return None


class Session(WebSocket):
    """JSON-RPC over a WebSocket. What has come is kept in `inbox` in its order until somebody takes it."""

    def __init__(self, node, caller=None, path=None, **options):
        super().__init__(node, path or ("/ws" if caller is None else f"/ws?caller={caller}"), **options)
        self.inbox = collections.deque()
        self.frames = 0
        self.last_id = 0

    def pump(self, limit=LIMIT):
        """Waits for one frame and puts what it holds into the inbox."""
        message = json.loads(self.receive(limit))
        self.frames += 1
        self.inbox.extend(message if isinstance(message, list) else [message])

    def take(self, wanted, described, limit=LIMIT):
        """Takes the first message that `wanted` says yes to."""
        until = time.monotonic() + limit
        looked_at = 0
        while True:
            for message in itertools.islice(self.inbox, looked_at, None):
                if wanted(message):
                    self.inbox.remove(message)
                    return message
            looked_at = len(self.inbox)
            left = until - time.monotonic()
            try:
                self.pump(left)
            except TimeoutError:
                raise AssertionError(f"never came within {limit} s: {described}; there: {list(self.inbox)[:5]}") from None

    def request(self, rpc_method, /, **params):
        """Sends a request; answers its id."""
        self.last_id += 1
        self.send({"jsonrpc": "2.0", "id": self.last_id, "method": rpc_method, "params": params})
        return self.last_id

    def notify(self, rpc_method, /, **params):
        self.send({"jsonrpc": "2.0", "method": rpc_method, "params": params})

    def answer(self, id, limit=LIMIT):
        answer = self.take(lambda message: message.get("id") == id and "method" not in message, f"answer {id}", limit)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def rpc(self, rpc_method, /, patience=LIMIT, **params):
        return self.answer(self.request(rpc_method, **params), patience)

    def settled(self, call, limit=LIMIT):
        """The params of the next call.settled of that call."""
        return self.take(lambda message: message.get("method") == "call.settled" and message["params"]["call"] == call,
                         f"call.settled of {call}", limit)["params"]

    def sync(self):
        """Once this is back, all that the node had sent before is in the inbox."""
        self.rpc("node.info")

    def settled_so_far(self, call):
        """How many call.settled of that call wait in the inbox."""
        return sum(1 for message in self.inbox
                   if message.get("method") == "call.settled" and message["params"]["call"] == call)


_minted = [0]


def new_call():
    """A call id that nobody has used."""
    _minted[0] += 1
    return f"call-{os.urandom(6).hex()}-{_minted[0]:06}"
