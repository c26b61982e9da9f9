import type { Duplex } from 'node:stream'
import type { MapperContext } from '../contract/index.ts'
import { dialTcp, openSerialPort } from '../serial-port/index.ts'
import type { DeviceConfig } from './device-config.ts'
import { WrongAnswer } from './exception.ts'
import { clientOn, LibraryWire } from './library-wire.ts'
import { closeStream, lineOf } from './line-stream.ts'
import { charactersMs, type Exchange, silenceMs } from './line-time.ts'
import { RtuPort } from './rtu-port.ts'
import { TcpPort } from './tcp-port.ts'
import type { Wire } from './wire.ts'

type Context = Pick<MapperContext, 'clock' | 'signal'>

/** Connects to where the device is; the caller disposes the wire. Rejects when the context's signal aborts first. */
export function openWire(device: DeviceConfig, context: Context): Promise<Wire> {
  switch (device.mode) {
    case 'TCP':
      return overTcp(device, context)
    case 'RTU':
      return overSerial(device, context)
    case 'RTUoverTCP':
      return overConverter(device, context)
  }
}

async function overTcp(device: DeviceConfig, { clock, signal }: Context): Promise<Wire> {
  const socket = await dialTcp(device.host, device.port, signal)
  const port = new TcpPort(socket)
  const link = {
    client: await clientOn(port),
    port,
    airtime: airtimeOf(device),
    // Answers carry the number of their request.
    mixesAnswers: false,
    giveUp: () => {
      port.giveUp()
      return false
    },
    close: () => closeStream(socket),
  }
  const wire = new LibraryWire(link, clock)
  port.onWrongAnswer = (reason) => wire.fail(new WrongAnswer(reason))
  port.onNonsense = () => {
    wire.lost(
      new Error(
        `${device.host}:${device.port} sends what is no Modbus TCP; with RTU frames in it, the mode is RTUoverTCP`,
      ),
    )
    socket.destroy()
  }
  watch(socket, wire)
  return wire
}

async function overSerial(device: DeviceConfig, context: Context): Promise<Wire> {
  const { baudRate, parity, stopBits } = lineOf(device)
  const settings = { path: device.serialPort, baudRate, dataBits: 8, parity, stopBits: stopBits === 2 ? 2 : 1 } as const
  const port = await openSerialPort({ ...settings, flowControl: 'none' }, context)
  return rtuWire(port, device, context.clock)
}

async function overConverter(device: DeviceConfig, { clock, signal }: Context): Promise<Wire> {
  const socket = await dialTcp(device.host, device.port, signal)
  return rtuWire(socket, device, clock)
}

async function rtuWire(stream: Duplex, device: DeviceConfig, clock: MapperContext['clock']): Promise<Wire> {
  const closed = new AbortController()
  const port = new RtuPort(stream, clock, device.line ? silenceMs(device.line) : 0, closed.signal)
  const link = {
    client: await clientOn(port),
    port,
    airtime: airtimeOf(device),
    mixesAnswers: true,
    ready: () => port.ready(),
    giveUp: () => {
      const { hasGarbage } = port
      port.giveUp()
      return hasGarbage
    },
    close: () => {
      closed.abort(new Error('the Modbus connection is closed'))
      return closeStream(stream)
    },
  }
  const wire = new LibraryWire(link, clock)
  port.onGarbage = () => wire.hurry()
  watch(stream, wire)
  return wire
}

function watch(stream: Duplex, wire: LibraryWire): void {
  stream.once('error', (error) => wire.lost(new Error('the Modbus connection failed', { cause: error })))
  const closed = () => wire.lost(new Error('the device closed the Modbus connection'))
  stream.once('end', closed)
  stream.once('close', closed)
  if (stream.destroyed) closed()
}

/** Where nothing is known of a line, the time-out has to cover it. */
function airtimeOf({ line }: DeviceConfig): (exchange: Exchange) => number {
  return line ? (exchange) => charactersMs(line, exchange) + 2 * silenceMs(line) : () => 0
}
