"""A device on a serial line by pyserial: framed bytes with a CRC-16 of Modbus, and lines of text. Independent of the mapper."""
import struct
import sys

import serial


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack('<H', value)


def binary(port):
    # STX, length of what follows it, command, data, CRC over everything.
    while True:
        head = port.read(2)
        if len(head) < 2:
            return
        rest = port.read(head[1])
        if crc(head + rest[:-2]) != rest[-2:]:
            continue
        if rest[0] == 0x10:
            data = bytes([0x10]) + struct.pack('<f', 21.5) + struct.pack('>h', -42) + bytes([0x12, 0x34, 0x81])
        else:
            data = bytes([rest[0]]) + b'\x00' + rest[1:-2]
        frame = b'\x02' + bytes([len(data) + 2]) + data
        # Noise, and a frame with a wrong checksum, before the right one; in pieces.
        out = b'\xff\x02\x03' + frame + b'\x00\x00' + frame + crc(frame)
        for at in range(0, len(out), 3):
            port.write(out[at:at + 3])
            port.flush()


def text(port):
    while True:
        line = port.readline()
        if not line:
            return
        port.write(b'$WIXDR,C,21.7,C,T,P,1.013,B,P*' + b'%02X' % xor(b'WIXDR,C,21.7,C,T,P,1.013,B,P') + b'\r\n')


def xor(data):
    value = 0
    for byte in data:
        value ^= byte
    return value


with serial.Serial(sys.argv[2], 115200, timeout=20) as opened:
    print('ready', flush=True)
    try:
        {'binary': binary, 'text': text}[sys.argv[1]](opened)
    except serial.SerialException:
        # The cable is pulled at the end of the test.
        pass
