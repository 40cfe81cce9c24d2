"""Meters that this project did not write: Modbus (pymodbus), DL/T 698.45 (dlt698), IEC 62056-21 (iec62056_21), SML (dumps).

    independent_wires.py modbus-tcp | modbus-rtu | dlt698 | dlt698-connected | dlt698-parts | iec62056-21 | sml DUMP

Prints one line with the link to give to `--link`, then serves until its standard input closes.
"""

import os
import pty
import struct
import sys
import threading
import time
import tty


def say(link):
    print(link, flush=True)
    sys.stdin.read()
    os._exit(0)


def terminal():
    """Our end as a file descriptor, and the device that the program opens."""
    ours, device = pty.openpty()
    tty.setraw(ours)
    tty.setraw(device)
    return ours, os.ttyname(device)


def joined():
    """Two devices joined by a pump: one for the library, one for the program."""
    a, a_device = terminal()
    b, b_device = terminal()

    def pump(source, target):
        while True:
            try:
                os.write(target, os.read(source, 256))
            except OSError:
                return

    threading.Thread(target=pump, args=(a, b), daemon=True).start()
    threading.Thread(target=pump, args=(b, a), daemon=True).start()
    return a_device, b_device


def modbus(serial):
    import asyncio
    from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
    from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer

    def floats(values):
        words = [0] * 120
        for register, value in values.items():
            words[register], words[register + 1] = struct.unpack(">HH", struct.pack(">f", value))
        return words

    # The map of an Eastron SDM230: floats, high word first, in input registers.
    words = floats({0: 230.25, 6: 5.125, 12: 1180.5, 72: 1234.5})
    block = ModbusSequentialDataBlock(1, words)
    context = ModbusServerContext(devices={1: ModbusDeviceContext(ir=block)}, single=False)
    if serial:
        theirs, ours = joined()
        start, link = StartAsyncSerialServer, ours
        arguments = {"port": theirs, "baudrate": 9600}
    else:
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        start, link = StartAsyncTcpServer, f"tcp:127.0.0.1:{port}"
        arguments = {"address": ("127.0.0.1", port)}
    threading.Thread(target=lambda: asyncio.run(start(context=context, **arguments)), daemon=True).start()
    if not serial:
        import socket

        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
    else:
        time.sleep(1.5)
    say(link)


def iec():
    from iec62056_21.messages import AnswerDataMessage, DataBlock, DataLine, DataSet, IdentificationMessage

    ours, device = terminal()
    lines = [
        DataSet("C.1.0", "12345678"),
        DataSet("0.9.1", "10:15:30"),
        DataSet("0.9.2", "26-11-20"),
        DataSet("1.8.0", "0001234.567", "kWh"),
        DataSet("16.7.0", "1.180", "kW"),
        DataSet("32.7.0", "230.2", "V"),
        DataSet("31.7.0", "005.13", "A"),
    ]
    block = AnswerDataMessage(data_block=DataBlock(data_lines=[DataLine(data_sets=[one]) for one in lines]))
    from iec62056_21.messages import ReadoutDataMessage

    readout = ReadoutDataMessage(data_block=block.data_block)
    identification = IdentificationMessage(identification="\\2MT382-1000", manufacturer="ISk", switchover_baudrate_char="5")

    def serve():
        seen = b""
        while True:
            seen += os.read(ours, 64)
            while b"\n" in seen:
                line, seen = seen.split(b"\n", 1)
                if line.startswith(b"/?"):
                    # With the own echo before it, as many heads have.
                    os.write(ours, line + b"\n" + identification.to_bytes())
                elif line.startswith(b"\x06"):
                    time.sleep(0.3)
                    os.write(ours, readout.to_bytes())

    threading.Thread(target=serve, daemon=True).start()
    say(device)


def sml(path):
    ours, device = terminal()
    dump = bytes.fromhex("".join(open(path).read().split()))

    def serve():
        while True:
            os.write(ours, dump)
            time.sleep(0.7)

    threading.Thread(target=serve, daemon=True).start()
    say(device)


def dlt698(connected):
    """With `connected` it answers only after CONNECT. It never answers the wildcard, only its own address."""
    from dlt698 import ConnectionProfile, Data, Oad, Server, ServerOptions, _native

    options = ServerOptions()
    protocol = options.protocol
    protocol.server = _native.ServerAddress(bytes=bytes.fromhex("123456789012")[::-1])
    options.protocol = protocol
    server = Server(options=options)

    def oad(number):
        return Oad(oi=number >> 16, attribute=(number >> 8) & 0xFF, index=number & 0xFF)

    def phases(make, first):
        return Data.array([make(first), make(0), make(0)])

    server.set(oad(0x00100200), Data.array([Data.uint32(value) for value in (123456, 100, 200, 300, 400)]))
    server.set(oad(0x20000200), phases(Data.uint16, 7501))
    server.set(oad(0x20010200), phases(Data.int32, 200123))
    server.set(oad(0x40010200), Data.octet_string(bytes.fromhex("123456789012")))
    server.set(oad(0x40020200), Data.octet_string(bytes.fromhex("202611210001")))
    profile = ConnectionProfile.local_public if connected else ConnectionProfile.local_preset
    server.start_tcp("127.0.0.1", 0, profile)
    say(f"tcp:127.0.0.1:{server.local_port}")


def dlt698_parts():
    """By the package's own codec: it logs in first and answers nobody who does not answer that; every answer comes in
    parts of eight bytes, each but the last to be confirmed; the cover's opening is a record."""
    import socket
    from dlt698 import Data, Oad, _native as native

    def oad(number):
        return Oad(oi=number >> 16, attribute=(number >> 8) & 0xFF, index=number & 0xFF)

    address = bytes.fromhex("123456789012")[::-1]
    begun = Data.date_time_s([0x07, 0xEA, 11, 18, 8, 15, 30])
    ended = Data.date_time_s([0x07, 0xEA, 11, 18, 8, 20, 1])

    def framed(control, payload):
        frame = native.Frame(control=control, server=native.ServerAddress(bytes=address), client=0, payload=payload)
        return native.encode_frame(frame)

    def answer(request):
        if isinstance(request, native.GetRecordRequest):
            asked = request.records[0]
            held = {0x201E: begun, 0x2020: ended}
            if asked.attribute.oi != 0x301B:
                result = native.RecordResult(attribute=asked.attribute, columns=[], result=4)
            else:
                row = [held[column.oi] for column in asked.columns]
                result = native.RecordResult(attribute=asked.attribute, columns=asked.columns, result=[row])
            return native.GetRecordResponse(piid_acd=request.piid, records=[result])
        asked = request.attributes[0]
        held = {0x0010: Data.uint32(123456), 0x0020: Data.uint32(77), 0x2000: Data.uint16(7501)}
        known = asked.attribute == 2 and asked.oi in held
        result = native.AttributeResult(attribute=asked, result=held[asked.oi] if known else 4)
        return native.GetResponse(piid_acd=request.piid, attributes=[result])

    def serve(line):
        stamp = native.DateTime(value=[0x07, 0xEA, 11, 21, 6, 10, 0, 0, 0, 0])
        login = native.LinkRequest(piid_acd=0, type=native.LinkRequestType.login, heartbeat_seconds=180, requested_at=stamp)
        login = framed(0x81, native.encode_apdu(login))
        line.sendall(login)
        decoder = native.FrameStreamDecoder()
        logged_in, sending = False, None
        while True:
            bytes_in = line.recv(512)
            if not bytes_in:
                return
            for frame in decoder.feed(bytes_in):
                frame = getattr(frame, "frame", frame)
                if frame.control & 0x20:
                    part = native.decode_fragment(frame.payload)
                    if sending and part.type == native.FragmentType.acknowledgement:
                        sending.acknowledge(part.sequence)
                        line.sendall(framed(0xE3, native.encode_fragment(sending.current())))
                    continue
                request = native.decode_apdu(frame.payload)
                if isinstance(request, native.LinkResponse):
                    logged_in = bytes(request.requested_at.value) == bytes(stamp.value)
                elif logged_in:
                    sending = native.LinkFragmenter(native.encode_apdu(answer(request)), 8, 4096)
                    line.sendall(framed(0xE3, native.encode_fragment(sending.current())))
                else:
                    # Who has not answered the login is asked again.
                    line.sendall(login)

    listener = socket.create_server(("127.0.0.1", 0))

    def visits():
        while True:
            line, _ = listener.accept()
            threading.Thread(target=serve, args=(line,), daemon=True).start()

    threading.Thread(target=visits, daemon=True).start()
    say(f"tcp:127.0.0.1:{listener.getsockname()[1]}")


if __name__ == "__main__":
    kind = sys.argv[1]
    if kind == "modbus-tcp":
        modbus(False)
    elif kind == "modbus-rtu":
        modbus(True)
    elif kind == "iec62056-21":
        iec()
    elif kind == "sml":
        sml(sys.argv[2])
    elif kind == "dlt698-parts":
        dlt698_parts()
    elif kind in ("dlt698", "dlt698-connected"):
        dlt698(kind == "dlt698-connected")
    else:
        raise SystemExit(f"no such meter: {kind}")
