import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'

export interface MosquittoOptions {
  /** Lines of mosquitto.conf beside listener and log; `DIR` stands for the folder of the test. */
  readonly lines?: readonly string[]
  /** Files of that folder. */
  readonly files?: Readonly<Record<string, string>>
  /** TLS of the one listener, lines as above. */
  readonly listener?: readonly string[]
  /** Once the files are there. */
  readonly prepare?: (directory: string) => void
}

/** A mosquitto of the test on a free loopback port. It is not started yet. */
export interface Mosquitto {
  readonly port: number
  readonly directory: string
  /** What it has logged, over all its lives. */
  readonly log: string
  start(): Promise<void>
  kill(signal?: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
  /** Settles when the log of the present life has so many lines that match. */
  logged(pattern: RegExp, count?: number): Promise<void>
}

export async function prepareMosquitto(t: TestContext, options: MosquittoOptions = {}): Promise<Mosquitto> {
  const directory = temporaryFolder('skerry-mosquitto-')
  const port = await freePort()
  const { files = {}, listener = [], lines = ['allow_anonymous true'] } = options
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text, { mode: 0o600 })
  options.prepare?.(directory)
  const conf = [`listener ${port} 127.0.0.1`, ...listener, 'log_dest stderr', 'log_type all']
  // As root it would become another user, who cannot read the files of the test.
  conf.push('user root', ...lines)
  const file = join(directory, 'mosquitto.conf')
  await writeFile(file, `${conf.map((line) => line.replaceAll('DIR', directory)).join('\n')}\n`)
  let child: ChildProcess | undefined
  let log = ''
  let life = 0
  const waiting = new Set<() => void>()

  const broker: Mosquitto = {
    port,
    directory,
    get log() {
      return log
    },
    async start() {
      life = log.length
      const started = spawn('mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
      child = started
      started.stderr.on('data', (chunk: Buffer) => {
        log += chunk.toString()
        for (const check of [...waiting]) check()
      })
      const failed = once(started, 'exit').then(() => {
        if (child === started) assert.fail(`mosquitto ended: ${log.slice(life)}`)
      })
      await Promise.race([broker.logged(/mosquitto version .* running/), failed])
      failed.catch(() => undefined)
    },
    async kill(signal = 'SIGKILL') {
      const running = child
      if (!running) return
      if (signal === 'SIGSTOP' || signal === 'SIGCONT') {
        running.kill(signal)
        return
      }
      child = undefined
      if (running.exitCode !== null || running.signalCode !== null) return
      const left = once(running, 'exit')
      running.kill(signal)
      await left
    },
    logged(pattern, count = 1) {
      const all = new RegExp(pattern, 'g')
      return new Promise((resolve, reject) => {
        const late = () => {
          waiting.delete(check)
          reject(new Error(`mosquitto did not log ${pattern} within 30 s, but: ${log.slice(life).slice(-4000)}`))
        }
        const deadline = AbortSignal.timeout(30_000)
        const check = () => {
          if ((log.slice(life).match(all)?.length ?? 0) < count) return
          waiting.delete(check)
          deadline.removeEventListener('abort', late)
          resolve()
        }
        deadline.addEventListener('abort', late, { once: true })
        waiting.add(check)
        check()
      })
    },
  }
  t.after(() => broker.kill())
  return broker
}

export async function startMosquitto(t: TestContext, options: MosquittoOptions = {}): Promise<Mosquitto> {
  const broker = await prepareMosquitto(t, options)
  await broker.start()
  return broker
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  assert.ok(typeof address === 'object' && address)
  return address.port
}
