"""SCPI instruments whose parser this project did not write: PyPI sinstruments (server, pseudo-terminal) and scpi-protocol
(which command a text is, in its long or short form). Only the headers stand here, as the makers' documents print them.

Prints one line `VOLTAGE_TCP VOLTAGE_DEVICE CURRENT_TCP`, then serves until its standard input closes.
"""

import os
import socket
import sys
import threading

import gevent
from scpi import Cmd, Commands, FloatCmd, OnOffCmd
from sinstruments.simulator import BaseDevice, Server


class Supply(BaseDevice):
    """One output. An unknown header or an argument out of range goes into the error queue, as SCPI-1999 asks."""

    def __init__(self, name, **kwargs):
        super().__init__(name, **kwargs)
        self.identity = kwargs["identity"]
        self.most = kwargs["most"]
        self.values = {}
        self.on = False
        self.errors = []
        self.events = 0
        self.commands = Commands(
            {
                "*IDN": Cmd(get=lambda: self.identity),
                "*OPC": Cmd(get=lambda: "1"),
                "*ESR": Cmd(get=self.event_status),
                "SYSTem:ERRor[:NEXT]": Cmd(get=self.oldest_error),
                "SYSTem:REMote": Cmd(set=None),
                "FUNCtion": Cmd(set=str),
                "[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]": FloatCmd(key="voltage"),
                "[SOURce:]CURRent[:LEVel][:IMMediate][:AMPLitude]": FloatCmd(key="current"),
                "[SOURce:]VOLTage:LIMit": FloatCmd(key="voltage"),
                "[SOURce:]CURRent:LIMit": FloatCmd(key="current"),
                "OUTPut[:STATe]": OnOffCmd(),
                "MEASure[:SCALar]:VOLTage[:DC]": Cmd(get=lambda: self.measured("voltage")),
                "MEASure[:SCALar]:CURRent[:DC]": Cmd(get=lambda: self.measured("current")),
            }
        )

    def event_status(self):
        events, self.events = self.events, 0
        return str(events)

    def oldest_error(self):
        return self.errors.pop(0) if self.errors else '0,"No error"'

    def measured(self, key):
        return f"{self.values.get(key, 0.0) if self.on else 0.0:.6E}"

    def refuse(self, code, text, event):
        self.errors.append(f'{code},"{text}"')
        self.events |= 1 << event

    def handle_message(self, message):
        text = message.decode("ascii", "replace").strip()
        header, _, argument = text.partition(" ")
        asks = header.endswith("?")
        command = self.commands.get(header.rstrip("?"))
        if command is None:
            return self.refuse(-113, f"Undefined header;{text}", 5)
        reply = self.query(command, argument) if asks else self.write(command, header, argument)
        return None if reply is None else f"{reply}\n".encode("ascii")

    def query(self, command, argument):
        if "key" in command:
            key = command["key"]
            value = self.most[key] if argument.upper().startswith("MAX") else self.values.get(key, 0.0)
            return f"{value:+.8E}"
        if command == OnOffCmd():
            return "1" if self.on else "0"
        return command["get"]()

    def write(self, command, header, argument):
        if "key" in command:
            try:
                value = float(argument)
            except ValueError:
                return self.refuse(-104, "Data type error", 5)
            if not 0.0 <= value <= self.most[command["key"]]:
                return self.refuse(-222, f"Data out of range;{header} {argument}", 4)
            self.values[command["key"]] = value
        elif command == OnOffCmd():
            self.on = argument.upper() in ("1", "ON")
        return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def device(name, identity, voltage, current, transports):
    return {
        "class": "Supply",
        "package": "__main__",
        "name": name,
        "identity": identity,
        "most": {"voltage": voltage, "current": current},
        "transports": transports,
    }


voltage_port, current_port = free_port(), free_port()
link = os.path.join(sys.argv[1], "voltage")
server = Server(
    devices=[
        device(
            "voltage",
            "Keysight Technologies,N8957A,MY00000001,A.01.00",
            1500.0,
            30.0,
            [
                {"type": "tcp", "url": ["127.0.0.1", voltage_port]},
                {"type": "serial", "url": link},
            ],
        ),
        device(
            "current",
            "ITECH Ltd.,IT-M3905D-10-510,000000,1.00",
            10.0,
            510.0,
            [{"type": "tcp", "url": ["127.0.0.1", current_port]}],
        ),
    ]
)
server.start()
gevent.sleep(0.2)


def end():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end, daemon=True).start()
print(f"tcp:127.0.0.1:{voltage_port} {link} tcp:127.0.0.1:{current_port}", flush=True)
while True:
    gevent.sleep(0.05)
