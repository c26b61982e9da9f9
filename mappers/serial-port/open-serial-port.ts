import { closeSync, constants, openSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Duplex } from 'node:stream'
import { ReadStream } from 'node:tty'
import { loadSerialBinding, type SerialBinding } from './binding.ts'
import { isLockHeld } from './held-lock.ts'
import { isBusy, missingPort, openError } from './open-error.ts'
import { findOrphan } from './orphan.ts'
import type { SerialSettings } from './settings.ts'

export interface OpenPortContext {
  readonly clock: { sleep(milliseconds: number, signal: AbortSignal): Promise<void> }
  /** Gives up opening; means nothing afterwards. */
  readonly signal: AbortSignal
}

/** A vanished port may give no event: the path is looked at so often, in ms. */
const LOOK = 500

/**
 * Opens and locks a port, and throws away what it had received before. The stream ends with an error that says so when the port
 * disappears, comes back as another one, or hangs up. Rejects with what to do about it. Works in worker threads.
 */
export async function openSerialPort(settings: SerialSettings, { clock, signal }: OpenPortContext): Promise<Duplex> {
  signal.throwIfAborted()
  if (process.platform === 'win32') return openWindowsPort(settings)
  const { path } = settings
  const binding = loadSerialBinding()
  const lock = await locked(binding, settings, { clock, signal })
  try {
    signal.throwIfAborted()
    // Another descriptor: the terminal takes its own with it, and with that the lock would be gone.
    const own = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
    const port = streamOf(path, terminalOf(own), async () => {
      closeSync(own)
      await binding.close(lock)
    })
    void lookAfter(path, port, clock)
    return port
  } catch (error) {
    await binding.close(lock)
    throw signal.aborted ? signal.reason : await openError(path, error)
  }
}

/** Sets a port up for every byte as it is, and leaves it. The settings stay while somebody has it open. */
export async function setUpSerialPort(settings: SerialSettings): Promise<void> {
  const binding = loadSerialBinding()
  await binding.close(await binding.open(settings, false))
}

async function locked(binding: SerialBinding, settings: SerialSettings, context: OpenPortContext): Promise<number> {
  try {
    if (await isLockHeld(settings.path)) throw new Error('Cannot lock port')
    return await binding.open(settings, true)
  } catch (error) {
    const orphan = isBusy(error) ? await findOrphan(settings.path, context) : undefined
    if (orphan === undefined) throw await openError(settings.path, error)
    await binding.close(orphan)
    return binding.open(settings, true).catch(async (again: unknown) => {
      throw await openError(settings.path, again)
    })
  }
}

/** Owns the descriptor only where it is returned. */
function terminalOf(descriptor: number): ReadStream {
  try {
    return new ReadStream(descriptor)
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** Closed only when the descriptors are, so that the port can be opened again at once. */
function streamOf(path: string, terminal: ReadStream, release: () => Promise<void>): Duplex {
  const port = new Duplex({
    read: () => void terminal.resume(),
    write: (bytes, _encoding, done) => void terminal.write(bytes, (error) => done(error)),
    destroy(error, done) {
      const finish = () => release().then(() => done(error), done)
      if (terminal.closed) void finish()
      else terminal.once('close', () => void finish())
      terminal.destroy()
    },
  })
  terminal.on('data', (bytes) => {
    if (!port.push(bytes)) terminal.pause()
  })
  const lose = (error?: Error) => port.destroy(new Error(`${path} has hung up`, { cause: error }))
  terminal.on('error', lose)
  terminal.on('end', lose)
  // An error that nobody hears would end the thread; `close` tells too.
  port.on('error', () => undefined)
  return port
}

async function lookAfter(path: string, stream: Duplex, clock: OpenPortContext['clock']): Promise<void> {
  const closing = new AbortController()
  const { signal } = closing
  stream.once('close', () => closing.abort(new Error('the port is closed')))
  try {
    const first = await identity(path)
    while (!signal.aborted) {
      await clock.sleep(LOOK, signal)
      if ((await identity(path)) !== first) stream.destroy(new Error(`${path} is another port now`))
    }
  } catch {
    // Either the port is closed, or its path is gone.
    if (!signal.aborted) stream.destroy(new Error(missingPort(path)))
  }
}

/** Also of what a link leads to: it may come back under the same name. */
async function identity(path: string): Promise<string> {
  const { dev, ino, rdev } = await stat(path)
  return `${dev} ${ino} ${rdev}`
}

/** Windows has no descriptors of ports to wait on; the package's own stream is used as it is. */
async function openWindowsPort({ path, flowControl, ...rest }: SerialSettings): Promise<Duplex> {
  const { SerialPort } = await import('serialport')
  const port = new SerialPort({ path, ...rest, rtscts: flowControl === 'hardware', autoOpen: false })
  port.on('error', () => undefined)
  try {
    await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())))
  } catch (error) {
    throw await openError(path, error)
  }
  return port
}
