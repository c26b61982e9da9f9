import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { ms, systemClock } from '../../platform/time/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { openPty, type Pty } from '../simulators/index.ts'
import { openError } from './open-error.ts'
import { openSerialPort } from './open-serial-port.ts'

const skip = process.platform === 'win32' ? 'no pseudo-terminals' : false
const clock = {
  sleep: (milliseconds: number, signal: AbortSignal) => systemClock.sleep(ms(milliseconds), signal),
}
const settings = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' } as const
const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, index) => index))

async function pair(t: TestContext): Promise<Pty> {
  const pty = await openPty({ clock: systemClock })
  t.after(() => pty.close())
  return pty
}

async function opened(t: TestContext, path: string): Promise<Duplex> {
  const port = await openSerialPort({ path, ...settings }, { clock, signal: new AbortController().signal })
  t.after(() => closed(port))
  return port
}

async function closed(port: Duplex): Promise<void> {
  if (port.closed) return
  // Its other end may be gone first, which is an error of the port.
  const gone = new Promise<void>((resolve) => port.once('close', () => resolve()))
  port.destroy()
  await gone
}

async function read(port: Duplex, length: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let got = 0; got < length; ) {
    const [bytes]: Buffer[] = await once(port, 'data')
    parts.push(bytes ?? assert.fail())
    got += bytes?.length ?? 0
  }
  return Buffer.concat(parts)
}

/** Why the port ended. */
async function end(port: Duplex): Promise<string> {
  port.resume()
  const { promise, resolve } = Promise.withResolvers<string>()
  port.once('error', (error) => resolve(error.message))
  return promise
}

describe('a serial port', { skip }, () => {
  it('carries every byte both ways', async (t) => {
    const pty = await pair(t)
    pty.listen((bytes) => pty.send(bytes))
    const port = await opened(t, pty.path)
    port.write(EVERY_BYTE)
    assert.deepEqual(await read(port, 256), EVERY_BYTE)
  })

  it('works in a worker thread, which the streams of the package do not', async (t) => {
    const pty = await pair(t)
    pty.listen((bytes) => pty.send(bytes))
    const code = `
      const { workerData, parentPort } = require('node:worker_threads')
      import(workerData.module).then(async ({ openSerialPort }) => {
        const clock = { sleep: () => new Promise(() => {}) }
        const port = await openSerialPort(workerData.settings, { clock, signal: new AbortController().signal })
        let got = 0
        port.on('data', (bytes) => {
          got += bytes.length
          if (got < 500) port.write('x')
          else port.destroy()
        })
        port.once('close', () => parentPort.postMessage(got))
        port.write('x')
      })`
    const module = new URL('./open-serial-port.ts', import.meta.url).href
    const worker = new Worker(code, { eval: true, workerData: { module, settings: { path: pty.path, ...settings } } })
    const [got] = await once(worker, 'message')
    assert.equal(got, 500)
    await worker.terminate()
  })

  it('can be opened again after a worker thread was ended with it open', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const pty = await pair(t)
    const code = `
      const { workerData, parentPort } = require('node:worker_threads')
      import(workerData.module).then(async ({ openSerialPort }) => {
        const clock = { sleep: () => new Promise(() => {}) }
        await openSerialPort(workerData.settings, { clock, signal: new AbortController().signal })
        parentPort.postMessage('open')
        setInterval(() => {}, 1000)
      })`
    const module = new URL('./open-serial-port.ts', import.meta.url).href
    const worker = new Worker(code, { eval: true, workerData: { module, settings: { path: pty.path, ...settings } } })
    await once(worker, 'message')
    await assert.rejects(opened(t, pty.path), /is in use/)
    await worker.terminate()
    const port = await opened(t, pty.path)
    assert.ok(port.writable)
  })

  it('throws away what was received before it was opened', async (t) => {
    const pty = await pair(t)
    const first = await opened(t, pty.path)
    assert.ok(pty.send(Buffer.from('old')))
    await closed(first)
    const port = await opened(t, pty.path)
    const reading = read(port, 3)
    pty.send(Buffer.from('new'))
    assert.equal((await reading).toString(), 'new')
  })

  it('is busy for everybody else until it is closed', async (t) => {
    const pty = await pair(t)
    const port = await opened(t, pty.path)
    await assert.rejects(opened(t, pty.path), /is in use by another process; find it with: fuser -v \/dev\/pts/)
    await closed(port)
    await opened(t, pty.path)
  })

  it('keeps its settings when somebody else tries to open it with other ones', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const pty = await pair(t)
    await opened(t, pty.path)
    const before = execFileSync('stty', ['-F', pty.path, '-a']).toString()
    assert.match(before, /speed 9600 baud.* -cstopb/s)
    const other = { path: pty.path, ...settings, baudRate: 115_200, stopBits: 2 } as const
    await assert.rejects(openSerialPort(other, { clock, signal: new AbortController().signal }), /is in use/)
    assert.equal(execFileSync('stty', ['-F', pty.path, '-a']).toString(), before)
  })

  it('ends when the other end is gone', async (t) => {
    for (let again = 0; again < 10; again++) {
      const pty = await pair(t)
      const port = await opened(t, pty.path)
      const ended = end(port)
      await pty.close()
      assert.notEqual(await ended, '')
    }
  })

  it('ends when its path leads to another port, or nowhere', async (t) => {
    const folder = temporaryFolder('skerry-serial-')
    const path = join(folder, 'port')
    const [first, second] = [await pair(t), await pair(t)]
    await symlink(first.path, path)
    const ended = end(await opened(t, path))
    await rm(path)
    await symlink(second.path, path)
    assert.match(await ended, /is another port now|does not exist/)
    const again = end(await opened(t, path))
    await rm(path)
    assert.match(await again, /does not exist/)
  })

  it('leaves no lock behind when opening is given up', async (t) => {
    const pty = await pair(t)
    const stop = new AbortController()
    const opening = openSerialPort({ path: pty.path, ...settings }, { clock, signal: stop.signal })
    stop.abort(new Error('too late'))
    await assert.rejects(opening, /too late/)
    await opened(t, pty.path)
  })

  it('says what is wrong with a path, and what to do', async (t) => {
    const folder = temporaryFolder('skerry-serial-')
    const file = join(folder, 'file')
    await writeFile(file, '')
    await chmod(file, 0o600)
    await assert.rejects(opened(t, join(folder, 'none')), /does not exist: is the device plugged in/)
    await assert.rejects(opened(t, '/dev/rfcomm77'), /bind it to the device with: sudo rfcomm bind 77 ADDRESS CHANNEL/)
    await assert.rejects(opened(t, file), /is no serial port/)
    const refused = await openError(file, new Error('Error: Permission denied, cannot open'))
    assert.match(refused.message, /no permission for .*belongs to group \S+; add the user .* sudo usermod -aG \S+ \S+/)
  })
})
