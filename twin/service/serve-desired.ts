import type { Bus } from '../../platform/bus/index.ts'
import { type DesiredAnswer, type DesiredRequest, type PlainValue, setDesired, type Twin } from '../../schemas/index.ts'
import { plainValue } from '../model/plain.ts'
import { propertyOf } from '../model/property.ts'
import { type DesireOptions, desire } from './desire.ts'

/** Desired values that others of this node ask for on behalf of somebody. */
export function serveDesired(options: DesireOptions & { readonly bus: Bus }): Disposable {
  return options.bus.serve(setDesired, (request) => take(options, request))
}

function take(options: DesireOptions, { id, values, author }: DesiredRequest): Promise<DesiredAnswer> {
  const names = Object.keys(values)
  const wanted = {
    ...{ id, author, event: options.voice.head(undefined).event_id },
    values: new Map(Object.entries(values).map(([name, text]) => [name, () => text])),
  }
  return new Promise((resolve) => {
    void desire(options, wanted, (outcome) => {
      resolve(outcome.ok ? { ok: true, values: desiredOf(outcome.twin, names) } : outcome)
    })
  })
}

/** As the twin has them now, which is what was asked, in canonical form. */
function desiredOf(twin: Twin, names: readonly string[]): Readonly<Record<string, PlainValue>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const property = propertyOf(twin, name)
      return property?.desired ? [[name, plainValue(property, property.desired.value)]] : []
    }),
  )
}
