import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { ms, systemClock } from '../../../platform/time/index.ts'
import type { Json, JsonObject, PropertyType } from '../../../schemas/index.ts'
import type { MapperContext, Report, VisitId } from '../../contract/index.ts'
import { deviceConfig } from '../device-config.ts'
import type { SerialOrder, SerialVisit } from '../exchanges.ts'
import mapper from '../index.ts'
import { visitorConfig } from '../visitor-config.ts'

export interface ServedProperty {
  readonly name: string
  readonly type: PropertyType
  readonly visitor: JsonObject
}

function idOf(text: string): VisitId
function idOf(text: string): string {
  return text
}

/** A device of this mapper as a test sees it: names and values instead of visits and outcomes. */
export async function served(t: TestContext, configData: JsonObject, properties: readonly ServedProperty[]) {
  const device = deviceConfig.parse(configData)
  assert.ok(device.ok, JSON.stringify(device))
  const visits: readonly SerialVisit[] = properties.map(({ name, type, visitor }) => {
    const parsed = visitorConfig.parse(visitor)
    assert.ok(parsed.ok, `${name}: ${JSON.stringify(parsed)}`)
    const property = { name, type, accessMode: 'ReadWrite' } as const
    return { id: idOf(name), device: device.value, property, visitor: parsed.value }
  })
  const { signal } = new AbortController()
  const clock = {
    now: () => systemClock.now(),
    sleep: (milliseconds: number, until: AbortSignal) => systemClock.sleep(ms(milliseconds), until),
  }
  const context: MapperContext = { clock, log: silentLogger, signal, folder: '/nowhere' }
  const connection = await mapper.connect(device.value, context)
  t.after(() => connection[Symbol.asyncDispose]())
  const asked = visits.filter(({ visitor }) => visitor.request)
  return {
    connection,
    /** Values by name; what failed is told by its reason. */
    read: async (list: readonly SerialVisit[] = asked): Promise<Readonly<Record<string, unknown>>> => {
      const results = (await mapper.read?.(connection, list, signal)) ?? assert.fail()
      return Object.fromEntries(
        list.map(({ id }) => {
          const outcome = results.get(id) ?? assert.fail(`no outcome for ${id}`)
          return [id, outcome.ok ? outcome.value.value : outcome.error.message]
        }),
      )
    },
    write: async (name: string, value: SerialOrder['value']): Promise<string> => {
      const visit = visits.find(({ id }) => id === name) ?? assert.fail(`no ${name}`)
      const results = (await mapper.write?.(connection, [{ ...visit, value }], signal)) ?? assert.fail()
      const outcome = results.get(visit.id) ?? assert.fail()
      return outcome.ok ? 'ok' : outcome.error.message
    },
    /** Settles with the first value of this property that comes by itself. */
    told: async (name: string): Promise<unknown> => {
      const { promise, resolve } = Promise.withResolvers<unknown>()
      const stop = new AbortController()
      const report: Report = (id, outcome) => {
        if (id === name) resolve(outcome.ok ? outcome.value.value : outcome.error.message)
      }
      const watching = mapper.watch?.(connection, visits, report, stop.signal) ?? assert.fail()
      const value = await Promise.race([promise, watching])
      stop.abort()
      await watching
      return value
    },
    watch: (report: Report, until: AbortSignal) => mapper.watch?.(connection, visits, report, until) ?? assert.fail(),
  }
}

/** `{name: [type, visitor]}` as properties. */
export function propertiesOf(
  table: Readonly<Record<string, readonly [PropertyType, { readonly [key: string]: Json }]>>,
): readonly ServedProperty[] {
  return Object.entries(table).map(([name, [type, visitor]]) => ({ name, type, visitor }))
}
