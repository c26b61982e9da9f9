import type { Clock, Random } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, nameOf, objectAt, textAt, withContent } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { invalid } from '../../kube/status.ts'
import { resourceOf } from '../../serving/objects/registry.ts'
import type { Admission, Admitter } from '../rest/context.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { createHeld } from './held.ts'

/** 10.96.0.0/16. Its first address is that of the API itself. */
const RANGE = '10.96.'

export interface ServiceAddressesOptions {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
}

/** Gives each Service an address of its own, as clusters do. No packet is forwarded to it here. */
export function serviceAddresses({ store, clock, random }: ServiceAddressesOptions): Admitter {
  const held = createHeld<string>(store, clock)

  function taken(admission: Admission): ReadonlySet<string> {
    return new Set([
      ...held.byOthers(ownerOf(admission)),
      ...store.list('/services').flatMap(([, service]) => addressesOf(service)),
    ])
  }

  function free(used: ReadonlySet<string>): string {
    const [high = 0, low = 0] = random.bytes(2)
    const start = high * 256 + low
    for (let step = 0; step < 65_536; step++) {
      const number = (start + step) % 65_536
      const address = `${RANGE}${number >> 8}.${number & 255}`
      // The first ones are for the API and its like, the last one is nobody's.
      if (number > 255 && number < 65_535 && !used.has(address)) return address
    }
    throw new Error('all addresses of Services are taken')
  }

  function hold(admission: Admission, address: string): void {
    if (!admission.dryRun) held.hold(address, ownerOf(admission))
  }

  return {
    async mutate(admission) {
      const { object, before } = admission
      if (!isService(admission) || !object) return undefined
      const spec = objectAt(object, 'spec')
      if (textAt(spec, 'type') === 'ExternalName') return withoutAddress(object, spec)
      const asked = textAt(spec, 'clusterIP')
      if (asked === 'None' || (before && addressesOf(before).includes(asked))) return undefined
      const used = taken(admission)
      if (asked !== '' && used.has(asked)) throw refused(admission, asked, 'provided IP is already allocated')
      if (asked !== '' && !isInRange(asked)) {
        throw refused(
          admission,
          asked,
          'the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/16',
        )
      }
      const address = asked === '' ? free(used) : asked
      hold(admission, address)
      return withContent(object, { spec: { ...spec, clusterIP: address, clusterIPs: [address] } })
    },
    async validate(admission) {
      if (isService(admission) && admission.operation === 'DELETE') held.release(ownerOf(admission))
    },
  }
}

/** Of what is held; names that are still to be generated are apart. */
export function ownerOf({ namespace, name, object }: Admission): string {
  return `${namespace}/${name || (object ? nameOf(object) : '')}`
}

function isService({ definition, subresource }: Admission): boolean {
  return resourceOf(definition) === '/services' && subresource === ''
}

function withoutAddress(service: ApiObject, { clusterIP: _one, clusterIPs: _all, ...spec }: JsonObject): ApiObject {
  return withContent(service, { spec })
}

function isInRange(address: string): boolean {
  return address.startsWith(RANGE) && /^\d{1,3}(\.\d{1,3}){3}$/.test(address)
}

function addressesOf(service: ApiObject): readonly string[] {
  const spec = objectAt(service, 'spec')
  return [textAt(spec, 'clusterIP'), ...arrayAt(spec, 'clusterIPs').map(String)].filter(
    (address) => address !== '' && address !== 'None',
  )
}

function refused({ definition, object }: Admission, address: string, why: string) {
  const message = `Invalid value: ${JSON.stringify([address])}: failed to allocate IP ${address}: ${why}`
  const cause = { reason: 'FieldValueInvalid', message, field: 'spec.clusterIPs' }
  return invalid(definition, object ? nameOf(object) : '', [cause])
}
