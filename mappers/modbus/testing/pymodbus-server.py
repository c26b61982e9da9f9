"""A Modbus server of pymodbus. Arguments: tcp | rtu-over-tcp, or serial and a path. Prints its port, or "ready"."""
import asyncio
import sys

from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer


def numbers():
    """The same numbers in the four orders of bytes, as the payload builder of pymodbus lays them out: 20 registers each."""
    registers = []
    for byteorder, wordorder in (
        (Endian.Big, Endian.Big),
        (Endian.Little, Endian.Big),
        (Endian.Big, Endian.Little),
        (Endian.Little, Endian.Little),
    ):
        builder = BinaryPayloadBuilder(byteorder=byteorder, wordorder=wordorder)
        builder.add_16bit_int(-2)
        builder.add_16bit_uint(65534)
        builder.add_32bit_int(-70000)
        builder.add_32bit_uint(4294967294)
        builder.add_64bit_int(-1234567890123456789)
        builder.add_64bit_uint(18446744073709551614)
        builder.add_32bit_float(24.5)
        builder.add_64bit_float(-1.25e300)
        registers += builder.to_registers()
    return registers


def unit(first):
    """Holding register n is first + n, input register n is first + 1000 + n, `numbers` behind 300; every second bit is set."""
    return ModbusSlaveContext(
        co=ModbusSequentialDataBlock(0, [n % 2 for n in range(300)]),
        di=ModbusSequentialDataBlock(0, [(n + 1) % 2 for n in range(300)]),
        hr=ModbusSequentialDataBlock(0, [first + n for n in range(300)]),
        ir=ModbusSequentialDataBlock(0, [first + 1000 + n for n in range(300)] + numbers()),
        zero_mode=True,
    )


async def main(kind, path):
    context = ModbusServerContext(slaves={1: unit(100), 2: unit(5000)}, single=False)
    identity = ModbusDeviceIdentification(
        info_name={"VendorName": "Vendor", "ProductCode": "P-1", "MajorMinorRevision": "2.3"}
    )
    if kind == "serial":
        server = ModbusSerialServer(
            context, framer=ModbusRtuFramer, identity=identity, port=path, baudrate=115200, ignore_missing_slaves=True
        )
        await server.start()
        print("ready", flush=True)
        await server.serve_forever()
    else:
        framer = ModbusRtuFramer if kind == "rtu-over-tcp" else ModbusSocketFramer
        server = ModbusTcpServer(
            context, framer=framer, identity=identity, address=("127.0.0.1", 0), ignore_missing_slaves=True
        )
        serving = asyncio.ensure_future(server.serve_forever())
        await server.serving
        print(server.server.sockets[0].getsockname()[1], flush=True)
        await serving


asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
