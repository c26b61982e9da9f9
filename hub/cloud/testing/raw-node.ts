import { randomBytes } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'

/** A node that speaks WebSocket byte by byte, so that it can break each rule of it. */
export interface RawNode {
  readonly socket: TLSSocket
  /** Status line of the answer to its upgrade. */
  readonly status: string
  /** Code of the closing frame, `1006` where the connection just ended. */
  readonly closed: Promise<number>
  /** Settles when the socket took it. */
  write(bytes: Buffer): Promise<void>
  pauseReading(): void
}

export interface RawNodeOptions {
  readonly port: number
  readonly ca: string
  readonly identity: { readonly cert: string; readonly key: string }
  readonly node: string
}

export async function rawNode({ port, ca, identity, node }: RawNodeOptions): Promise<RawNode> {
  const socket = connect({ host: '127.0.0.1', port, ca, ...identity })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  const key = randomBytes(16).toString('base64')
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${upgrade}Sec-WebSocket-Key: ${key}\r\nnode_id: ${node}\r\n\r\n`)
  const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  const closed = Promise.withResolvers<number>()
  // Server frames are not masked; a closing frame stands at the start of what arrives, or behind small frames.
  let said = Buffer.alloc(0)
  socket.on('data', (data: Buffer) => {
    said = Buffer.concat([said, data]).subarray(-4096)
    const at = said.lastIndexOf(0x88)
    if (at >= 0 && said.length >= at + 4) closed.resolve(said.readUInt16BE(at + 2))
  })
  socket.on('close', () => closed.resolve(1006))
  return {
    socket,
    status: first.toString('latin1').split('\r\n')[0] ?? '',
    closed: closed.promise,
    write: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    pauseReading: () => void socket.pause(),
  }
}

export interface RawFrame {
  /** 1 text, 0 continuation, 8 close, 9 ping. */
  readonly opcode?: number
  readonly isLast?: boolean
  /** RSV1: compressed. */
  readonly isCompressed?: boolean
  readonly isMasked?: boolean
  /** What the head says where it is not the truth. */
  readonly length?: number
}

export function rawFrame(payload: string | Buffer, options: RawFrame = {}): Buffer {
  const { opcode = 1, isLast = true, isCompressed = false, isMasked = true } = options
  const bytes = Buffer.from(payload)
  const length = options.length ?? bytes.length
  const head = Buffer.alloc(10)
  head[0] = (isLast ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode
  const mask = isMasked ? 0x80 : 0
  let size = 2
  if (length < 126) {
    head[1] = mask | length
  } else if (length < 65_536) {
    head[1] = mask | 126
    head.writeUInt16BE(length, 2)
    size = 4
  } else {
    head[1] = mask | 127
    head.writeBigUInt64BE(BigInt(length), 2)
    size = 10
  }
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head.subarray(0, size), Buffer.alloc(isMasked ? 4 : 0), bytes])
}
