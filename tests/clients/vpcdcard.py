#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""vpcdcard.py PORT: a card by vpcd's protocol. Debian 12's own, vsmartcard-vpicc, does not start.

SELECT is answered at once, GET CHALLENGE with as many bytes as asked for, INS 10 after as many seconds as P1 says, INS
FF by going away.
"""
import socket
import sys
import time

ATR = bytes.fromhex("3B80800101")


def connect(port):
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit("vpcdcard.py: nobody listens")


def execute(apdu):
    """The reply, None: the card has gone."""
    instruction = apdu[1]
    if instruction == 0xA4:
        return b"\x90\x00"
    if instruction == 0x84:
        return bytes(range(apdu[4])) + b"\x90\x00"
    if instruction == 0x10:
        time.sleep(apdu[2])
        return b"\x90\x00"
    return None if instruction == 0xFF else b"\x6D\x00"


def serve(connection):
    stream = connection.makefile("rb")
    while len(head := stream.read(2)) == 2:
        message = stream.read(int.from_bytes(head, "big"))
        reply = ATR if message == b"\x04" else execute(message) if len(message) > 1 else b""
        if reply is None:
            return
        if reply:
            connection.sendall(len(reply).to_bytes(2, "big") + reply)


if __name__ == "__main__":
    with connect(int(sys.argv[1])) as connection:
        serve(connection)
