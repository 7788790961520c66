"""Servers that are no agentd, or break."""

import base64
import hashlib
import socket
import threading


def server(case, answer):
    """Listens on loopback until the case ends; `answer` gets each connection, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    case.addCleanup(listener.close)

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=quietly, args=(answer, connection), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def quietly(answer, connection):
    try:
        with connection:
            answer(connection)
    except OSError:
        pass


def upgrade(connection):
    """Answers a request for a WebSocket as a node would."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += connection.recv(4096) or b"\r\n\r\n"
    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
