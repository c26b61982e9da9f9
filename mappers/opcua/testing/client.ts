import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ms, seconds, systemClock, withDeadline } from '../../../platform/time/index.ts'
import type { PropertyType, PropertyValue } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import type { MapperContext, Outcome, Reading, Visit, VisitId } from '../../contract/index.ts'
import { type DeviceConfig, deviceConfig, type VisitorConfig, visitorConfig } from '../config.ts'
import type { OpcuaConnection } from '../connection.ts'
import opcua from '../index.ts'

/** A mapper with a folder of its own, as the host would run it. */
export async function mapperFor(t: TestContext) {
  const folder = temporaryFolder('skerry-opcua-')
  const open: AsyncDisposable[] = []
  t.after(async () => {
    for (const connection of open) await connection[Symbol.asyncDispose]()
  })
  const told: string[] = []
  const context = (signal: AbortSignal): MapperContext => ({
    clock: {
      now: () => systemClock.now(),
      sleep: (milliseconds, until) => systemClock.sleep(ms(milliseconds), until),
    },
    log: { debug: () => undefined, warn: (message) => void told.push(message) },
    signal,
    folder,
  })
  return {
    folder,
    told,
    context,
    connect: async (config: object, signal: AbortSignal = new AbortController().signal): Promise<OpcuaConnection> => {
      const connection = await opcua.connect(configOf(config), context(signal))
      open.push(connection)
      return connection
    },
  }
}

/** Quick, and of a server that is seen for the first time. */
export function configOf(config: object): DeviceConfig {
  const parsed = deviceConfig.parse({ trust: 'first-use', publishingInterval: 20, samplingInterval: 10, ...config })
  return parsed.ok ? parsed.value : assert.fail(JSON.stringify(parsed.issues))
}

export type TestVisit = Visit<DeviceConfig, VisitorConfig>

export function visitOf(config: object, visitor: object, type: PropertyType = 'DOUBLE'): TestVisit {
  const parsed = visitorConfig.parse(visitor)
  const property = { name: 'p', type, accessMode: 'ReadWrite' } as const
  const id = idOf(JSON.stringify(visitor))
  return { id, device: configOf(config), property, visitor: parsed.ok ? parsed.value : assert.fail('visitor') }
}

function idOf(text: string): VisitId
function idOf(text: string): string {
  return text
}

export const never = new AbortController().signal

/** What a watch or a history reports, and waiting for it. */
export class Reports {
  readonly seen: Outcome<Reading>[] = []
  #waiting: (() => void) | undefined
  readonly report = (_id: VisitId, outcome: Outcome<Reading>): void => {
    this.seen.push(outcome)
    this.#waiting?.()
  }

  get values(): readonly PropertyValue[] {
    return this.seen.flatMap((outcome) => (outcome.ok ? [outcome.value.value] : []))
  }

  async until(what: string, holds: (outcome: Outcome<Reading>) => boolean): Promise<void> {
    await withDeadline(systemClock, seconds(15), undefined, async () => {
      while (!this.seen.some(holds)) {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#waiting = resolve
        await promise
      }
    }).catch((cause: unknown) => {
      throw new Error(`nobody reported ${what}; seen: ${this.seen.length}`, { cause })
    })
  }

  value(wanted: PropertyValue): Promise<void> {
    return this.until(String(wanted), (outcome) => outcome.ok && outcome.value.value === wanted)
  }

  failure(wanted: RegExp): Promise<void> {
    return this.until(String(wanted), (outcome) => !outcome.ok && wanted.test(outcome.error.message))
  }
}
