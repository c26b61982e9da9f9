"""A Modbus server of pymodbus. Arguments: tcp | rtu-over-tcp, or serial and a path. Prints its port, or "ready"."""
import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer


def unit(first):
    """Holding register n is first + n, input register n is first + 1000 + n; every second bit is set."""
    return ModbusSlaveContext(
        co=ModbusSequentialDataBlock(0, [n % 2 for n in range(300)]),
        di=ModbusSequentialDataBlock(0, [(n + 1) % 2 for n in range(300)]),
        hr=ModbusSequentialDataBlock(0, [first + n for n in range(300)]),
        ir=ModbusSequentialDataBlock(0, [first + 1000 + n for n in range(300)]),
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
