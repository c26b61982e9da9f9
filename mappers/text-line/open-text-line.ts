import type { Duplex } from 'node:stream'
import type { MapperContext } from '../contract/index.ts'
import { dialTcp, openSerialPort } from '../serial-port/index.ts'
import { TextLine } from './text-line.ts'

export interface TextLineOptions {
  /** Default 9600; 8 data bits, no parity, 1 stop bit. Means nothing over TCP. */
  readonly baudRate?: number
  /** What ends a question and an answer. Default `\n`; a carriage return before it does not belong to an answer. */
  readonly end?: string
  /** ms within which an answer has to be there. Default 1000. */
  readonly timeout?: number
}

const ADDRESS = /^tcp:\/\/(\[[^\]]+\]|[^:/]+):(\d{1,5})$/

/**
 * Opens a line to a device that answers lines of text: a serial port (`/dev/ttyUSB0`, `COM3`), or `tcp://HOST:PORT` of a serial
 * server. What a mapper gives to the host as its connection. Rejects with what to do about it.
 */
export async function openTextLine(
  address: string,
  context: Pick<MapperContext, 'clock' | 'signal'>,
  options: TextLineOptions = {},
): Promise<TextLine> {
  const { baudRate = 9600, end = '\n', timeout = 1000 } = options
  const [, host, port] = ADDRESS.exec(address) ?? []
  if (address.startsWith('tcp:') && host === undefined) throw new Error(`${address} must be tcp://HOST:PORT`)
  const settings = { path: address, baudRate, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' } as const
  const stream =
    host === undefined ? await openSerialPort(settings, context) : await dial(host, Number(port), context.signal)
  return new TextLine(stream, { address, end, timeout, clock: context.clock })
}

async function dial(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  return dialTcp(host.replace(/^\[|\]$/g, ''), port, signal).catch((error: unknown) => {
    signal.throwIfAborted()
    throw new Error(`nobody answers at ${host} on port ${port}: is the device on, and is the port right?`, {
      cause: error,
    })
  })
}
