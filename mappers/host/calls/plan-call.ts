import type { CallArgument, CallRefusal, DeviceCall, DeviceMethod, PropertyValue } from '../../../schemas/index.ts'
import type { AnyMapper, PropertyPlan } from '../admission/admission.ts'
import { wishOf } from '../line/orders.ts'
import type { ServedDevice, ServedProperty } from '../line/served-device.ts'

/** What a call has to do, all of it allowed: write, then call, then read. */
export interface CallPlan {
  readonly ok: true
  readonly writes: readonly { readonly property: ServedProperty; readonly text: string }[]
  readonly calls: readonly { readonly plan: PropertyPlan; readonly arguments: readonly PropertyValue[] }[]
  readonly reads: readonly ServedProperty[]
}

/** Judges a call against the method and the DeviceModel before anything is sent to the device. */
export function planCall(
  device: ServedDevice,
  methods: readonly DeviceMethod[],
  call: DeviceCall,
  mapper: Pick<AnyMapper, 'protocol' | 'write' | 'call' | 'read'>,
): CallPlan | CallRefusal {
  const method = methods.find(({ name }) => name === call.method)
  if (!method)
    return refuse(`device ${call.id} has no method ${call.method}${has(methods.map(({ name }) => name))}`, 404)
  const names = [...new Set(method.propertyNames ?? [])]
  if (names.length === 0) return refuse(`method ${method.name} names no properties, so there is nothing to do`)
  for (const name of Object.keys(call.arguments)) {
    if (!names.includes(name)) return refuse(`method ${method.name} takes no ${name}${has(names)}`)
  }
  const writes: { property: ServedProperty; text: string }[] = []
  const calls: { plan: PropertyPlan; arguments: readonly PropertyValue[] }[] = []
  const reads: ServedProperty[] = []
  for (const name of names) {
    const given = Object.hasOwn(call.arguments, name) ? call.arguments[name] : undefined
    const callable = device.plan.callables.find(({ model }) => model.name === name)
    const property = device.properties.find(({ plan: each }) => each.model.name === name)
    if (callable) {
      if (!mapper.call) return refuse(`mapper ${mapper.protocol} cannot call ${name}`)
      calls.push({ plan: callable, arguments: given === undefined ? [] : listOf(given) })
    } else if (!property) return refuse(`property ${name} of method ${method.name} is not served by this device`)
    else if (given === undefined) reads.push(property)
    else {
      const refusal = refuseArgument(property, given, mapper)
      if (refusal !== undefined) return refuse(`${name}: ${refusal}`)
      writes.push({ property, text: String(given) })
    }
  }
  return { ok: true, writes, calls, reads }
}

function refuseArgument(property: ServedProperty, given: CallArgument, mapper: Pick<AnyMapper, 'protocol' | 'write'>) {
  if (typeof given === 'object') return 'takes one value, not a list'
  if (!mapper.write) return `mapper ${mapper.protocol} cannot write`
  const wish = wishOf(property.plan, String(given))
  return wish.ok ? undefined : `${String(given).slice(0, LONGEST_SHOWN)} ${wish.reason}`
}

const LONGEST_SHOWN = 80

function listOf(given: CallArgument): readonly PropertyValue[] {
  return typeof given === 'object' ? given : [given]
}

function has(names: readonly string[]): string {
  return names.length === 0 ? '' : `; it has ${names.join(', ')}`
}

function refuse(reason: string, code: 400 | 404 = 400): CallRefusal {
  return { ok: false, code, reason }
}
