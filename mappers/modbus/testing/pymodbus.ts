import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { NEEDS, needs } from '../../../tools/testing/needs.ts'

const PYTHON = '/usr/bin/python3'

export type PeerKind = 'tcp' | 'rtu-over-tcp' | 'serial'

/** An independent implementation of Modbus, in a process of its own. */
export interface IndependentPeer extends AsyncDisposable {
  /** `protocol.configData` of a device on it. */
  readonly config: object
  /** What mbpoll needs to find it. */
  readonly mbpoll: readonly string[]
}

/** Why it cannot be tried here, or false. */
export function needsPymodbus(): string | false {
  const missing = needs('socat', 'mbpoll')
  if (missing !== false || process.env['CI'] === 'true') return missing
  const { status } = spawnSync(PYTHON, ['-c', 'import pymodbus.server.async_io'])
  return status === 0 ? false : `${NEEDS}python3-pymodbus and python3-serial-asyncio`
}

export async function startPymodbus(kind: PeerKind): Promise<IndependentPeer> {
  return kind === 'serial' ? onSerialLine() : onSocket(kind)
}

async function onSocket(kind: PeerKind): Promise<IndependentPeer> {
  const server = spawn(PYTHON, [join(import.meta.dirname, 'pymodbus-server.py'), kind])
  const port = Number(await lineOf(server.stdout, () => true))
  const mode = kind === 'tcp' ? 'TCP' : 'RTUoverTCP'
  return {
    config: { mode, host: '127.0.0.1', port },
    mbpoll: ['-m', 'tcp', '-p', String(port), '127.0.0.1'],
    [Symbol.asyncDispose]: () => ended(server),
  }
}

/** Two pseudo-terminals that socat joins: pymodbus on one, we on the other. */
async function onSerialLine(): Promise<IndependentPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-pymodbus-'))
  const [theirs, ours] = [join(folder, 'theirs'), join(folder, 'ours')]
  const pty = (link: string) => `pty,raw,echo=0,link=${link}`
  const socat = spawn('socat', ['-d', '-d', pty(theirs), pty(ours)])
  await lineOf(socat.stderr, (line) => line.includes('data transfer loop'))
  const server = spawn(PYTHON, [join(import.meta.dirname, 'pymodbus-server.py'), 'serial', theirs])
  await lineOf(server.stdout, (line) => line === 'ready')
  return {
    config: { serialPort: ours, baudRate: 115_200, parity: 'none', stopBits: 1 },
    mbpoll: ['-m', 'rtu', '-b', '115200', '-P', 'none', '-s', '1', ours],
    async [Symbol.asyncDispose]() {
      await ended(server)
      await ended(socat)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function lineOf(stream: Readable, fits: (line: string) => boolean): Promise<string> {
  for await (const line of createInterface(stream)) if (fits(line)) return line
  throw new Error('the peer ended before it was ready')
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
