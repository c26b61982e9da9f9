import type { Duplex } from 'node:stream'
import type { MapperContext } from '../contract/index.ts'
import { dialTcp, openSerialPort } from '../serial-port/index.ts'
import { SerialConnection } from './connection.ts'
import { type SerialDevice, type TcpAddress, tcpAddress } from './device-config.ts'
import { Line } from './line.ts'
import { rfcommPort } from './rfcomm.ts'

/** What a device needs once it is really there; loaded by the first `connect`. */
export async function open(device: SerialDevice, context: MapperContext): Promise<SerialConnection> {
  const { signal, clock } = context
  signal.throwIfAborted()
  const path = device.path ?? (await rfcommPort(device.macAddress ?? '', device.channel))
  const line = new Line(await openStream({ ...device, path }, context), path, context)
  try {
    if (device.settle > 0) await clock.sleep(device.settle, signal)
    return new SerialConnection(line, context)
  } catch (error) {
    await line[Symbol.asyncDispose]()
    throw error
  }
}

async function openStream(device: SerialDevice & { readonly path: string }, context: MapperContext): Promise<Duplex> {
  const tcp = tcpAddress(device.path)
  return tcp ? dial(tcp, context.signal) : openSerialPort(device, context)
}

async function dial({ host, port }: TcpAddress, signal: AbortSignal): Promise<Duplex> {
  return dialTcp(host, port, signal).catch((error: unknown) => {
    signal.throwIfAborted()
    throw new Error(`no serial server answers at ${host} on port ${port}: is it on, and is the port right?`, {
      cause: error,
    })
  })
}
