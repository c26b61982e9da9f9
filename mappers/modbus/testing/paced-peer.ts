import { systemClock } from '../../../platform/time/index.ts'
import { rtuFraming } from '../../simulators/modbus/modbus-frames.ts'
import { answerPdu } from '../../simulators/modbus/modbus-pdu.ts'
import { openPty } from '../../simulators/serial/pty.ts'
import { characterMs, type LineSettings, silenceMs } from '../line-time.ts'

/** What the peer is told, as JSON in its first argument. */
export interface PacedPeerOptions {
  readonly line: LineSettings
  /** ms that a unit takes before it answers. */
  readonly turnaround: number
  /** Units that never answer. */
  readonly silent: readonly number[]
}

export interface PacedPeerStats {
  /** Requests that arrived, by unit. */
  readonly requests: Readonly<Record<string, number>>
  /** Requests that began before the line had been silent long enough: real devices take them for a part of the last frame. */
  readonly tooEarly: number
}

/**
 * A process of its own: units on a serial line that carries every character in its time. A pseudo-terminal moves bytes at once;
 * here a request counts as received when its characters would have been, and each byte of an answer is sent when it would arrive.
 */
const options: PacedPeerOptions = parseOptions(process.argv[2] ?? '')
const character = characterMs(options.line)
const silence = silenceMs(options.line)
/** Bytes that are due within so many ms are sent together, as the buffer of a port gives them. */
const GRAIN_MS = 1.5
/** How much earlier than t3.5 a request may come: the clocks of two processes. */
const TOLERANCE_MS = 0.25

const requests: Record<string, number> = {}
let tooEarly = 0
/** When the last character on the line ended. */
let freeAt = Number.NEGATIVE_INFINITY
let began = 0
let received: Buffer = Buffer.alloc(0)
const pause = new Int32Array(new SharedArrayBuffer(4))
const pty = await openPty({ clock: systemClock })

pty.listen((bytes) => {
  if (received.length === 0) began = systemClock.monotonic()
  received = Buffer.concat([received, bytes])
  const taken = rtuFraming.take(received)
  const [frame] = taken?.frames ?? []
  if (!taken || !frame) return
  received = received.subarray(taken.used)
  if (began < freeAt + silence - TOLERANCE_MS) tooEarly++
  requests[frame.unitId] = (requests[frame.unitId] ?? 0) + 1
  const ended = Math.max(began, freeAt) + taken.used * character
  freeAt = ended
  if (options.silent.includes(frame.unitId)) return
  const memory = {
    readBits: (_table: string, _unitId: number, _start: number, length: number) =>
      new Array<boolean>(length).fill(true),
    readRegisters: (_table: string, unitId: number, start: number, length: number) =>
      Array.from({ length }, (_, index) => (unitId * 1000 + start + index) & 0xffff),
    writeCoils: () => undefined,
    writeRegisters: () => undefined,
  }
  const answer = frame.pack(answerPdu(frame.pdu, frame.unitId, memory))
  sendPaced(answer, ended + silence + options.turnaround)
})

process.on('message', (message) => {
  if (message === 'stats') process.send?.({ requests, tooEarly } satisfies PacedPeerStats)
})
process.on('disconnect', () => void pty.close().then(() => process.exit(0)))
process.send?.({ path: pty.path })

/** The first character begins at `start`; a byte is there when all its bits are. Waits on the spot: there is nothing else to do. */
function sendPaced(answer: Buffer, start: number): void {
  freeAt = start + answer.length * character
  for (let sent = 0; sent < answer.length; ) {
    const next = systemClock.monotonic() + GRAIN_MS
    // The last byte is there at its time, whatever the grain.
    waitUntil(freeAt - next < GRAIN_MS ? freeAt : Math.max(next, start + (sent + 1) * character))
    const due = systemClock.monotonic() >= freeAt ? answer.length : dueAt(systemClock.monotonic() - start)
    if (due > sent) pty.send(answer.subarray(sent, due))
    sent = Math.max(sent, due)
  }
}

function dueAt(passed: number): number {
  return Math.max(0, Math.floor(passed / character))
}

function waitUntil(time: number): void {
  for (let left = time - systemClock.monotonic(); left > 0; left = time - systemClock.monotonic()) {
    if (left > 0.1) Atomics.wait(pause, 0, 0, left - 0.05)
  }
}

function parseOptions(text: string): PacedPeerOptions {
  return JSON.parse(text)
}
