import { Readable, Writable } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { TerminalSize } from './command.ts'

/** Numbers of the channels: the first byte of a message. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

export interface Channels {
  readonly stdin: Readable
  readonly sizes: AsyncIterable<TerminalSize>
  /** Writes to a channel as fast as the client reads. */
  output(channel: number): Writable
  /** Sends one message; settles when it is on its way, or nobody listens any more. */
  send(channel: number, data: Uint8Array): Promise<void>
}

const MOST_UNREAD = 64 * 1024
const LONGEST_SIZE = 4096
/** Sizes that wait; only the last ones count. */
const MOST_SIZES = 16

/** The channels of a remote command over a WebSocket (v5.channel.k8s.io), as its server has them. */
export function openChannels(webSocket: WebSocket, hasStdin: boolean, onMove: () => void): Channels {
  const stdin = new Readable({ highWaterMark: MOST_UNREAD, read: () => webSocket.resume() })
  const sizes = sizeQueue()
  let isStdinOver = !hasStdin
  const endStdin = () => {
    if (!isStdinOver) stdin.push(null)
    isStdinOver = true
  }

  webSocket.on('message', (message) => {
    onMove()
    const data = bytesOf(message)
    const [channel, ...close] = data.subarray(0, 2)
    if (channel === CHANNEL.close) {
      if (data.length !== 2) webSocket.close(1002)
      else if (close[0] === CHANNEL.stdin) endStdin()
      else if (close[0] === CHANNEL.resize) sizes.end()
      return
    }
    if (channel === CHANNEL.resize) sizes.push(data.subarray(1).toString('utf8'))
    if (channel !== CHANNEL.stdin || isStdinOver || data.length === 1) return
    if (!stdin.push(data.subarray(1))) webSocket.pause()
  })
  webSocket.on('close', () => {
    endStdin()
    sizes.end()
  })
  webSocket.on('error', () => undefined)
  webSocket.resume()

  const send = (channel: number, data: Uint8Array) =>
    new Promise<void>((resolve) => {
      onMove()
      webSocket.send(Buffer.concat([Buffer.of(channel), data]), () => resolve())
    })
  return {
    stdin,
    sizes,
    send,
    output: (channel) =>
      new Writable({
        highWaterMark: MOST_UNREAD,
        write(chunk, _encoding, done) {
          send(channel, chunk).then(() => done(), done)
        },
      }),
  }
}

function bytesOf(message: RawData): Buffer {
  if (Buffer.isBuffer(message)) return message
  return Array.isArray(message) ? Buffer.concat(message) : Buffer.from(message)
}

/** Objects of JSON, one after the other, as a Go encoder writes them. What is none of them is passed over. */
function sizeQueue() {
  const waiting: TerminalSize[] = []
  let text = ''
  let isOver = false
  let wake = Promise.withResolvers<void>()
  async function* read(): AsyncGenerator<TerminalSize> {
    for (;;) {
      wake = Promise.withResolvers()
      yield* waiting.splice(0)
      if (waiting.length > 0) continue
      if (isOver) return
      await wake.promise
    }
  }
  return {
    push(piece: string) {
      text += piece
      const objects = text.match(/\{[^{}]*\}/g) ?? []
      text = text.slice(text.lastIndexOf('}') + 1).slice(-LONGEST_SIZE)
      for (const object of objects) {
        const size = sizeIn(object)
        if (size) waiting.push(size)
      }
      waiting.splice(0, Math.max(0, waiting.length - MOST_SIZES))
      wake.resolve()
    },
    end() {
      isOver = true
      wake.resolve()
    },
    [Symbol.asyncIterator]: read,
  }
}

function sizeIn(text: string): TerminalSize | undefined {
  try {
    // Go takes the names of fields however they are written.
    const fields = Object.entries(Object(JSON.parse(text))).map(([name, value]) => [name.toLowerCase(), value])
    const { width = 0, height = 0 } = Object.fromEntries(fields)
    return isSize(width) && isSize(height) ? { width, height } : undefined
  } catch {
    return undefined
  }
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff
}
