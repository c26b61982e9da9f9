import type { PropertyValue } from '../../../schemas/index.ts'
import { readBcd } from '../../bluetooth-serial/codec/bcd.ts'
import { compose } from '../../bluetooth-serial/codec/compose.ts'
import { spelled } from '../../bluetooth-serial/codec/extract.ts'
import { hasPlace, render, type Template, unrender } from '../../bluetooth-serial/codec/template.ts'
import { deviceConfig, type SerialDevice } from '../../bluetooth-serial/device-config.ts'
import { type SerialVisitor, visitorConfig } from '../../bluetooth-serial/visitor-config.ts'
import { readNumber } from '../../payload/index.ts'
import type { SimulatedDevice, SimulatedProperty } from '../simulated-device.ts'

interface Spoken {
  readonly property: SimulatedProperty['model']
  readonly visitor: SerialVisitor
}

/** What a device on a serial line says: its model's visitors, from the other end. Payloads are without framing. */
export class SpeakingDevice {
  readonly config: SerialDevice
  readonly #device: SimulatedDevice
  readonly #spoken: readonly Spoken[]

  constructor(device: SimulatedDevice) {
    this.#device = device
    // Where it is found is not for it to say.
    const { path: _path, macAddress: _mac, ...rest } = device.configData
    const parsed = deviceConfig.parse({ ...rest, path: 'simulated' })
    if (!parsed.ok) throw new Error(`${device.name} cannot be simulated: ${shown(parsed.issues)}`)
    this.config = parsed.value
    this.#spoken = device.properties.flatMap(({ model, visitor }) => {
      if (Object.keys(visitor).length === 0) return []
      const { convert: _convert, deadband: _deadband, ...own } = visitor
      const found = visitorConfig.parse(own)
      if (!found.ok) throw new Error(`${model.name} of ${device.name} cannot be simulated: ${shown(found.issues)}`)
      return [{ property: model, visitor: found.value }]
    })
  }

  /** The answers to a request; undefined where it is meant for another device. */
  answer(request: Buffer): readonly Buffer[] | undefined {
    const asked = this.#spoken.filter(
      ({ visitor }) => visitor.request && this.#render(visitor.request, visitor).equals(request),
    )
    if (asked.length > 0) return this.#frames(asked)
    for (const { property, visitor } of this.#spoken) {
      const bytes = visitor.write && unrender(visitor.write, request, this.#filling(visitor))
      if (!visitor.write || !bytes) continue
      return this.#set(property.name, written(visitor.write, bytes, property.type ?? 'STRING', visitor), visitor)
    }
    return undefined
  }

  /** What it sends without being asked. */
  unasked(): readonly Buffer[] {
    return this.#frames(this.#spoken.filter(({ visitor }) => !visitor.request && !visitor.write))
  }

  /** How it says no; undefined where it says nothing then. */
  get refusal(): Buffer | undefined {
    return this.config.refuse[0]
  }

  #set(name: string, value: PropertyValue, visitor: SerialVisitor): readonly Buffer[] {
    try {
      this.#device.write(name, value)
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'WriteRefusal') throw error
      return this.refusal ? [this.refusal] : []
    }
    return visitor.ack ? [render(visitor.ack, { ...this.#filling(visitor), value })] : []
  }

  /** One frame for what is told by the same frames. */
  #frames(spoken: readonly Spoken[]): readonly Buffer[] {
    const groups = Map.groupBy(spoken, ({ visitor }) => `${visitor.matchAt} ${visitor.match?.text ?? ''}`)
    return [...groups.values()].map((group) => {
      const [first] = group
      const head = first?.visitor.match ? this.#render(first.visitor.match, first.visitor) : Buffer.alloc(0)
      const values = group.map(({ property, visitor }) => ({
        ...{ place: visitor.place, spelling: visitor.spelling, type: property.type ?? 'STRING' },
        value: this.#device.read(property.name),
      }))
      return compose(values, Buffer.concat([Buffer.alloc(first?.visitor.matchAt ?? 0), head]))
    })
  }

  #render(template: Template, visitor: SerialVisitor): Buffer {
    return render(template, this.#filling(visitor))
  }

  #filling({ spelling }: SerialVisitor) {
    return { ...spelling, address: this.config.address }
  }
}

/** The value in a write, by the format that it is written in. */
function written(
  template: Template,
  bytes: Buffer,
  type: NonNullable<SimulatedProperty['model']['type']>,
  { spelling }: SerialVisitor,
): PropertyValue {
  if (!hasPlace(template, 'value')) return true
  const place = template.parts.find((part) => part.kind === 'place' && part.name === 'value')
  const format = place?.kind === 'place' ? place.format : undefined
  if (format?.kind === 'number') return readNumber(bytes, 0, format.type, format.order)
  if (format?.kind === 'bcd') return readBcd(bytes, 'big')
  const isHex = format?.kind === 'integer' && format.base !== 'd'
  return spelled(bytes.toString(), type, isHex ? { ...spelling, base: 16 } : { ...spelling, base: 10, decimal: '.' })
}

function shown(issues: readonly { readonly pointer: string; readonly message: string }[]): string {
  return issues.map(({ pointer, message }) => `${pointer} ${message}`).join(', ')
}
