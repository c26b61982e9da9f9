import type { Discovered, MapperContext } from '../contract/index.ts'
import type { DeviceConfig } from './device-config.ts'
import { blamesPath, isRefusal, NoAnswer } from './exception.ts'
import { type Identity, identify } from './identify.ts'
import { openWire } from './links.ts'
import type { Target, Wire } from './wire.ts'

type Context = Pick<MapperContext, 'clock' | 'log' | 'signal'>

/** 248 to 254 are reserved: who answers to one of them answers to all. */
const NOBODY = 254
const LAST_UNIT = 247

/** The units on a line, behind a gateway or of a server, each asked by itself. A unit that is not there costs one time-out. */
export async function* discover(device: DeviceConfig, context: Context): AsyncIterable<Discovered> {
  const units = device.units ?? (await allUnits(device, context))
  await using scan = new Scan(device, context)
  for (const unitId of units) {
    const identity = await scan.ask(unitId)
    if (identity) yield described(device, unitId, identity)
  }
}

/** Many servers do not look at the unit: they are one device. */
async function allUnits(device: DeviceConfig, context: Context): Promise<readonly number[]> {
  if (device.mode === 'TCP') {
    await using scan = new Scan(device, context)
    if (await scan.ask(NOBODY)) return [device.unitId]
  }
  return Array.from({ length: LAST_UNIT }, (_, index) => index + 1)
}

/** One wire; a new one where the last was lost, as with gateways that hang up on behalf of a silent unit. */
class Scan implements AsyncDisposable {
  readonly #device: DeviceConfig
  readonly #context: Context
  #wire: Wire | undefined

  constructor(device: DeviceConfig, context: Context) {
    this.#device = device
    this.#context = context
  }

  /** What the unit says of itself; undefined when it does not answer. Rejects when nothing can be connected. */
  async ask(unitId: number): Promise<Identity | undefined> {
    const { signal, log } = this.#context
    signal.throwIfAborted()
    this.#wire ??= await openWire(this.#device, this.#context)
    const target = { unitId, timeout: this.#device.timeout, pause: this.#device.pause }
    try {
      return (await isThere(this.#wire, target, signal)) ? await identify(this.#wire, target, signal) : undefined
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof NoAnswer) log.warn(`unit ${unitId}: ${error.message}; two units with this number?`)
      else await this[Symbol.asyncDispose]()
      return undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const wire = this.#wire
    this.#wire = undefined
    await wire?.[Symbol.asyncDispose]()
  }
}

/** Reading is what every unit knows; that it refuses is an answer, too. */
async function isThere(wire: Wire, target: Target, signal: AbortSignal): Promise<boolean> {
  try {
    await wire.read(target, 'HoldingRegister', 0, 1, signal)
    return true
  } catch (error) {
    if (isRefusal(error)) return !blamesPath(error)
    if (error instanceof NoAnswer && !error.garbled) return false
    throw error
  }
}

function described(device: DeviceConfig, unitId: number, identity: Identity): Discovered {
  const { vendor, product, revision, serverId } = identity
  const said = [vendor, product, revision].filter((each) => each !== undefined && each !== '')
  const who = said.length > 0 ? said.join(' ') : serverId === undefined ? 'says nothing of itself' : `id ${serverId}`
  return {
    name: `${nameOf(product ?? '') || 'modbus'}-unit-${unitId}`,
    description: `unit ${unitId}: ${who}`,
    device: { ...wayTo(device), unitId },
    // No unit says which registers it has.
    properties: [],
  }
}

function wayTo({ mode, host, port, serialPort, line }: DeviceConfig): { readonly [key: string]: unknown } {
  if (mode === 'TCP') return { host, port }
  const { baudRate, parity, stopBits } = line ?? {}
  if (mode === 'RTU') return { serialPort, baudRate, parity, stopBits }
  return { mode, host, port, ...(baudRate === undefined ? {} : { baudRate, parity, stopBits }) }
}

/** As Kubernetes wants names. */
function nameOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '')
}
