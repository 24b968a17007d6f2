from __future__ import annotations

import socket
import threading

from relabel.compute.channel import Channel

PATIENCE_SECONDS = 10.0


def test_close__ends_the_waiting_for_a_message():
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    received = []
    waiting = threading.Thread(target=lambda: received.append(channel.receive()), daemon=True)
    closing = threading.Thread(target=channel.close, daemon=True)
    with theirs:
        theirs.sendall(b'{"ready": true')  # so that it waits within a message
        waiting.start()
        waiting.join(0.2)
        closing.start()
        closing.join(PATIENCE_SECONDS)
        waiting.join(PATIENCE_SECONDS)
        assert not closing.is_alive()
        assert received == [None]
    channel.close()  # a second time does nothing
