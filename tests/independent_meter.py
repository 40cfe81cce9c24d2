"""A DL/T 645-2007 meter that this project did not write (PyPI dlt645), on TCP and on a pseudo-terminal.

Prints one line `tcp:127.0.0.1:PORT DEVICE`, then serves until its standard input closes.
"""

import os
import pty
import socket
import sys
import threading
import tty

from dlt645 import MeterServerService

ADDRESS = "123456781012"


def fill(meter):
    meter.set_address(bytes.fromhex(ADDRESS)[::-1])
    meter.set_00(0x00010000, 1234.56)
    meter.set_02(0x02010100, 220.5)
    meter.set_02(0x02020100, 5.123)
    meter.set_02(0x02030000, 1.1296)
    meter.set_04(0x04000101, "26112005")
    meter.set_04(0x04000102, "101530")
    meter.set_04(0x04000402, "202611200042")
    meter.set_04(0x04000409, "001200")
    meter.set_03(0x03300D00, ["000003"])


def pump(source, target):
    while True:
        try:
            data = os.read(source, 256)
        except OSError:
            return
        os.write(target, data)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


port = free_port()
tcp = MeterServerService.new_tcp_server("127.0.0.1", port, 5.0)
fill(tcp)
tcp.start()

meter_side, meter_device = pty.openpty()
our_side, our_device = pty.openpty()
for end in (meter_side, meter_device, our_side, our_device):
    tty.setraw(end)
threading.Thread(target=pump, args=(meter_side, our_side), daemon=True).start()
threading.Thread(target=pump, args=(our_side, meter_side), daemon=True).start()
rtu = MeterServerService.new_rtu_server(os.ttyname(meter_device), 8, 1, 2400, "E", 1.0)
fill(rtu)
rtu.start()

print(f"tcp:127.0.0.1:{port} {os.ttyname(our_device)}", flush=True)
sys.stdin.read()
os._exit(0)
