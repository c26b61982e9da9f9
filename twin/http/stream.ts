import type { ServerResponse } from 'node:http'
import type { Bus } from '../../platform/bus/index.ts'
import { type Clock, seconds } from '../../platform/time/index.ts'
import { type DeviceId, splitDeviceId, type Twin, twins } from '../../schemas/index.ts'
import { plainTwin } from '../model/plain.ts'
import type { Rights } from './caller.ts'
import { maySee } from './devices.ts'

export interface StreamOptions {
  readonly bus: Bus
  readonly clock: Clock
  /** Of the caller as he is now; rejects where he may no longer be here. Asked before the first event and then from time to time. */
  readonly rights: () => Promise<Rights>
  readonly wanted: WantedDevices
}

/** Both absent: all. */
export interface WantedDevices {
  readonly namespace?: string
  readonly devices?: ReadonlySet<DeviceId>
}

/** What the reader has not taken yet; beyond that changes of a device count as one. */
const MOST_UNREAD = 256 * 1024
/** A sign of life, and how often rights are looked at again. */
const ALIVE_EVERY = seconds(15)
/** Who takes nothing for so long is gone. */
const READ_WITHIN = seconds(60)

/**
 * Server-sent events: first a `twin` for each device and `synced`, then a `twin` for each that changed and `gone` for each that went.
 * Each says all of its device, so a reader that is slow, or comes again, misses nothing that still holds. Settles when it ends.
 */
export async function streamTwins(
  options: StreamOptions,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { bus, clock, wanted } = options
  const changed = new Set<DeviceId>()
  const told = new Set<DeviceId>()
  let rights = await options.rights()
  let wake = Promise.withResolvers<void>()
  let lookAgain = false
  let isAliveDue = false
  using _twins = bus.watch(twins, ({ key }) => {
    if (!isWanted(wanted, key)) return
    changed.add(key)
    wake.resolve()
  })
  using _alive = every(clock, () => {
    lookAgain = true
    isAliveDue = true
    wake.resolve()
  })
  const onAbort = () => wake.resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  let isSynced = false
  while (!signal.aborted) {
    if (lookAgain) {
      lookAgain = false
      rights = await options.rights()
    }
    for (const id of changed) {
      changed.delete(id)
      const event = eventOf(bus, rights, told, id)
      if (event) response.write(event)
      if (response.writableLength > MOST_UNREAD && !(await drained(clock, response, signal))) return
      if (lookAgain) break
    }
    if (changed.size > 0) continue
    if (!isSynced) response.write('event: synced\ndata: {}\n\n')
    else if (isAliveDue) response.write(': alive\n\n')
    isSynced = true
    isAliveDue = false
    await wake.promise
    wake = Promise.withResolvers()
  }
}

function isWanted({ namespace, devices }: WantedDevices, id: DeviceId): boolean {
  if (devices && !devices.has(id)) return false
  return namespace === undefined || splitDeviceId(id).namespace === namespace
}

function eventOf(bus: Bus, rights: Rights, told: Set<DeviceId>, id: DeviceId): string | undefined {
  const twin = maySee(rights, id) ? bus.get(twins, id) : undefined
  if (twin) {
    told.add(id)
    return `event: twin\ndata: ${textOf(twin)}\n\n`
  }
  if (!told.delete(id)) return undefined
  return `event: gone\ndata: ${JSON.stringify({ device: id })}\n\n`
}

/** For all who listen. */
const texts = new WeakMap<Twin, string>()

function textOf(twin: Twin): string {
  const known = texts.get(twin)
  if (known !== undefined) return known
  const text = JSON.stringify(plainTwin(twin))
  texts.set(twin, text)
  return text
}

function every(clock: Clock, work: () => void): Disposable {
  let timer = clock.after(ALIVE_EVERY, next)
  function next(): void {
    timer = clock.after(ALIVE_EVERY, next)
    work()
  }
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
}

/** False where the reader takes nothing: its connection is cut. */
async function drained(clock: Clock, response: ServerResponse, signal: AbortSignal): Promise<boolean> {
  const settled = Promise.withResolvers<boolean>()
  const onDrain = () => settled.resolve(true)
  const onAbort = () => settled.resolve(false)
  using _deadline = clock.after(READ_WITHIN, () => {
    settled.resolve(false)
    response.destroy()
  })
  response.once('drain', onDrain).once('close', onAbort)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await settled.promise
  } finally {
    response.off('drain', onDrain).off('close', onAbort)
    signal.removeEventListener('abort', onAbort)
  }
}
