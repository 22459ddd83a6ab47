#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""monitor.py LECTERN: pyscard's monitors see the card of the only reader leave and come; a session talks to it."""
import queue
import subprocess
import sys

from smartcard.CardMonitoring import CardMonitor, CardObserver
from smartcard.Exceptions import NoCardException
from smartcard.ReaderMonitoring import ReaderMonitor, ReaderObserver
from smartcard.System import readers
from smartcard.util import toHexString

PATIENCE = 20
ATR = {"t0": "3B 65 00 00 80 73 FC 21 00", "t1": "3B 85 81 31 FE 45 80 73 FC 21 00 A0"}


class Cards(CardObserver):
    def __init__(self):
        self.events = queue.Queue()

    def update(self, observable, handlers):
        added, removed = handlers
        for card in added:
            self.events.put(("added", toHexString(card.atr)))
        for card in removed:
            self.events.put(("removed", toHexString(card.atr)))


class Readers(ReaderObserver):
    def __init__(self):
        self.events = queue.Queue()

    def update(self, observable, handlers):
        for reader in handlers[0]:
            self.events.put(str(reader))


def await_event(events, wanted):
    seen = events.get(timeout=PATIENCE)
    assert seen == wanted, f"{seen} instead of {wanted}"


def move(lectern, *words):
    subprocess.run([lectern, *words], check=True, timeout=PATIENCE)


def talk():
    connection = readers()[0].createConnection()
    connection.connect()
    _, sw1, sw2 = connection.transmit([0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00])
    assert (sw1, sw2) == (0x90, 0x00), f"{sw1:02X}{sw2:02X}"
    connection.disconnect()


def main(lectern):
    cards, there = Cards(), Readers()
    reader_monitor, card_monitor = ReaderMonitor(period=0.2), CardMonitor()
    reader_monitor.addObserver(there)
    card_monitor.addObserver(cards)
    await_event(there.events, "Reader 00 00")
    await_event(cards.events, ("added", ATR["t1"]))
    talk()
    move(lectern, "eject")
    await_event(cards.events, ("removed", ATR["t1"]))
    try:
        talk()
        raise AssertionError("talks without a card")
    except NoCardException:
        pass
    move(lectern, "insert", "t0")
    await_event(cards.events, ("added", ATR["t0"]))
    talk()
    card_monitor.deleteObserver(cards)
    reader_monitor.deleteObserver(there)
    print("all seen")


if __name__ == "__main__":
    main(sys.argv[1])
