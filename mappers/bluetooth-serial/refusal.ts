import type { AccessMode, PropertyType } from '../contract/index.ts'
import type { Spelling } from './codec/extract.ts'
import { hasPlace, render } from './codec/template.ts'
import type { SerialDevice } from './device-config.ts'
import { encodeFrame } from './framing/content.ts'
import type { SerialVisitor } from './visitor-config.ts'

/** Why a property can never be reached so; undefined where it can. */
export function refusal(
  { type, accessMode }: { readonly type: PropertyType; readonly accessMode: AccessMode },
  { place, spelling, write, request, match, ack }: SerialVisitor,
  device: SerialDevice | undefined,
): string | undefined {
  if (write && accessMode === 'ReadOnly') return 'a ReadOnly property has no use for write'
  if (device && device.address === undefined) {
    const named = Object.entries({ request, match, write, ack }).find(([, each]) => each && hasPlace(each, 'address'))
    if (named) return `${named[0]} has {address}, and the device has no address`
  }
  if (device) {
    const reason = unsayable({ request, match }, device, spelling)
    if (reason !== undefined) return reason
  }
  const isNumber = place.kind === 'number' || place.kind === 'bcd'
  if (isNumber && (type === 'BYTES' || type === 'STREAM')) return `a property of type ${type} needs dataType bytes`
  if (place.kind === 'bit' && type !== 'BOOLEAN' && type !== 'INT') return 'bit needs a property of type BOOLEAN or INT'
  return undefined
}

/** What needs no value can be tried beforehand: an address that has not the format, a frame that is too long. */
function unsayable(
  { request, match }: Pick<SerialVisitor, 'request' | 'match'>,
  { address, requestFraming }: SerialDevice,
  spelling: Spelling,
): string | undefined {
  const filling = { ...spelling, address }
  try {
    if (match) render(match, filling)
    if (request) encodeFrame(render(request, filling), requestFraming)
    return undefined
  } catch (error) {
    return `request or match cannot be made for address ${address ?? ''}: ${error instanceof Error ? error.message : String(error)}`
  }
}
