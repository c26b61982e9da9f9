import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, openSync, readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { describe, it, type TestContext } from 'node:test'
import { SerialPort } from 'serialport'
import { ms, systemClock } from '../../../platform/time/index.ts'
import { openPty, type Pty } from './pty.ts'

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
const BURST = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7) & 0xff))

const skip = process.platform === 'win32' ? 'no pseudo-terminals' : false

async function pair(t: TestContext, options: { readonly mostWaiting?: number } = {}): Promise<Pty> {
  const pty = await openPty({ clock: systemClock, ...options })
  t.after(() => pty.close())
  return pty
}

/** Everything that arrives, and a wait for so many bytes of it. */
function collected(listen: (listener: (bytes: Buffer) => void) => void) {
  let all = Buffer.alloc(0)
  let wanted: { readonly length: number; readonly done: (bytes: Buffer) => void } | undefined
  listen((bytes) => {
    all = Buffer.concat([all, bytes])
    if (wanted && all.length >= wanted.length) wanted.done(all)
  })
  return (length: number) =>
    new Promise<Buffer>((done) => {
      if (all.length >= length) done(all)
      else wanted = { length, done }
    })
}

async function opened(t: TestContext, path: string): Promise<SerialPort> {
  const port = new SerialPort({ path, baudRate: 115_200, autoOpen: false })
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())))
  t.after(async () => {
    if (port.isOpen) await new Promise((resolve) => port.close(resolve))
  })
  return port
}

async function until(holds: () => boolean): Promise<void> {
  const end = systemClock.monotonic() + 5000
  while (!holds()) {
    assert.ok(systemClock.monotonic() < end, 'it never came true')
    await systemClock.sleep(ms(2))
  }
}

describe('a pseudo-terminal', { skip }, () => {
  it('carries every byte and long bursts both ways as they are', async (t) => {
    const pty = await pair(t)
    const fromPort = collected((listener) => pty.listen(listener))
    const port = await opened(t, pty.path)
    const fromDevice = collected((listener) => port.on('data', listener))
    const sent = Buffer.concat([EVERY_BYTE, BURST, EVERY_BYTE])
    port.write(sent)
    assert.ok(pty.send(sent))
    assert.deepEqual(await fromPort(sent.length), sent)
    assert.deepEqual(await fromDevice(sent.length), sent)
  })

  it('is raw also for somebody who opens it without any setting', async (t) => {
    const pty = await pair(t)
    const fromPort = collected((listener) => pty.listen(listener))
    const shell = spawn('sh', ['-c', 'exec 3<>"$0"; printf "a\\nb\\r\\003c" >&3; head -c 256 <&3', pty.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const fromDevice = collected((listener) => shell.stdout.on('data', listener))
    assert.deepEqual((await fromPort(6)).toString('latin1'), 'a\nb\r\u0003c')
    assert.ok(pty.send(EVERY_BYTE))
    assert.deepEqual(await fromDevice(256), EVERY_BYTE)
    await once(shell, 'exit')
  })

  it('knows whether somebody has the port open, and loses what is sent to nobody', async (t) => {
    const pty = await pair(t)
    pty.listen(() => undefined)
    assert.equal(pty.isOpen, false)
    assert.equal(pty.send(Buffer.from('early')), false)
    assert.equal(pty.dropped, 5)
    const port = await opened(t, pty.path)
    const fromDevice = collected((listener) => port.on('data', listener))
    assert.equal(pty.isOpen, true)
    pty.send(Buffer.from('on time'))
    assert.equal((await fromDevice(7)).toString(), 'on time')
    await new Promise((resolve) => port.close(resolve))
    assert.equal(pty.isOpen, false)
    // And it can be opened again.
    await opened(t, pty.path)
    assert.equal(pty.isOpen, true)
  })

  it('loses nothing of what is under way while it is asked who is there', async (t) => {
    const pty = await pair(t)
    const fromPort = collected((listener) => pty.listen(listener))
    const port = await opened(t, pty.path)
    port.write(BURST)
    for (let again = 0; again < 200; again++) {
      assert.equal(pty.isOpen, true)
      if (again % 20 === 0) await systemClock.sleep(ms(1))
    }
    assert.deepEqual(await fromPort(BURST.length), BURST)
  })

  it('ends the port when it is closed, and removes the path', async (t) => {
    const pty = await pair(t)
    pty.listen(() => undefined)
    const port = await open(pty.path, 'r+')
    const reading = port.read(Buffer.alloc(1)).then(
      ({ bytesRead }) => bytesRead,
      (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EIO' && 0,
    )
    await pty.close()
    assert.equal(await reading, 0)
    await port.close()
    assert.equal(existsSync(pty.path), false)
    assert.equal(pty.isOpen, false)
    assert.equal(pty.send(EVERY_BYTE), false)
    await pty.close()
  })

  it('leaves no descriptor open', { skip: process.platform === 'linux' ? false : 'no /proc' }, async (t) => {
    const before = readdirSync('/proc/self/fd').length
    for (let again = 0; again < 5; again++) {
      const pty = await pair(t)
      pty.listen(() => undefined)
      assert.equal(pty.isOpen, false)
      await pty.close()
    }
    await until(() => readdirSync('/proc/self/fd').length <= before)
  })

  it('neither stops the thread nor grows when nobody reads', async (t) => {
    const pty = await pair(t, { mostWaiting: 64 * 1024 })
    pty.listen(() => undefined)
    const descriptor = openSync(pty.path, 'r+')
    for (let again = 0; again < 100; again++) pty.send(BURST)
    assert.ok(pty.dropped >= BURST.length, `${pty.dropped}`)
    assert.equal(pty.dropped % BURST.length, 0)
    const kept = 100 * BURST.length - pty.dropped
    // Who reads at last gets the beginning, whole and in order.
    const stream = createReadStream('', { fd: descriptor })
    stream.on('error', () => undefined)
    const fromDevice = collected((listener) => stream.on('data', (bytes) => listener(Buffer.from(bytes))))
    const all = await fromDevice(kept)
    for (let at = 0; at < kept; at += BURST.length) assert.ok(all.subarray(at, at + BURST.length).equals(BURST))
    await pty.close()
    stream.destroy()
  })

  it('is found to be raw by stty', async (t) => {
    const pty = await pair(t)
    const settings = execFileSync('stty', [process.platform === 'darwin' ? '-f' : '-F', pty.path, '-a']).toString()
    for (const off of ['-echo', '-icanon', '-opost', '-isig', '-ixon', '-icrnl']) assert.ok(settings.includes(off), off)
  })
})
