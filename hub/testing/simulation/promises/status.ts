import { type Device, parseTwin, type StatusTwin, type Twin, type TwinProperty } from '../../../../schemas/index.ts'
import { DEVICE_STATUSES, DEVICES } from '../../../cloud/kubernetes/resources.ts'
import { canonical, type Scene, textOf, type Witness } from './promise.ts'

/** What Device and DeviceStatus show is the twin as it is on the disk of the node. */
export function trueStatus(scene: Scene): Witness {
  return {
    name: 'true status',
    async atRest() {
      const twins = scene.machines.flatMap(({ disk }) =>
        disk.rows('twin.all').flatMap((row) => parseTwin(textOf(row, 'document')) ?? []),
      )
      const statuses = (await scene.cluster.list(DEVICE_STATUSES, {})).items
      for (const device of (await scene.cluster.list(DEVICES, {})).items) {
        const { namespace, name, uid, generation } = device.metadata
        const id = `${namespace}/${name}`
        const own = statuses.filter(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
        if (own.length !== 1) return `${id} has ${own.length} DeviceStatus objects`
        if (device.status?.observedGeneration !== generation)
          return `${id} is of generation ${generation}, its status of ${device.status?.observedGeneration}`
        const twin = twins.find((each) => each.uid === uid)
        if (!twin) continue
        const wrong =
          differs('the state', device.status?.state, twin.state) ??
          differs('Device', shown(device, device.status?.twins ?? []), told(device, twin)) ??
          differs('DeviceStatus', values(device, own[0]?.status?.twins ?? []), valuesOf(device, twin))
        if (wrong) return `${id}: ${wrong}`
      }
      for (const { metadata } of statuses) {
        const owner = metadata.ownerReferences?.[0]?.uid
        if (!twins.some(({ uid }) => uid === owner) && scene.deleted.has(owner ?? ''))
          return `the DeviceStatus ${metadata.name} is of a device that is gone`
      }
      return undefined
    },
  }
}

function differs(what: string, is: unknown, should: unknown): string | undefined {
  const [left, right] = [canonical(is), canonical(should)]
  return left === right ? undefined : `${what} says ${left} and should say ${right}`
}

function shown({ spec }: Device, twins: readonly StatusTwin[]): unknown {
  return (spec.properties ?? []).map(({ name }) => {
    const { reported, observedDesired } = twins.find(({ propertyName }) => propertyName === name) ?? {}
    const { origin, author, timestamp, generation } = observedDesired?.metadata ?? {}
    return [
      ...[name, reported?.value, reported?.metadata?.['timestamp']],
      ...[observedDesired?.value, origin, author, timestamp, observedDesired && generation],
    ]
  })
}

function told({ spec }: Device, { properties, generation }: Twin): unknown {
  return (spec.properties ?? []).map(({ name }) => {
    const { reported, desired }: Partial<TwinProperty> = properties[name] ?? {}
    return [
      ...[name, reported?.value, reported && String(reported.timestamp)],
      ...[desired?.value, desired?.origin, desired?.author, desired && String(desired.timestamp)],
      desired && String(generation),
    ]
  })
}

function values({ spec }: Device, twins: readonly StatusTwin[]): unknown {
  return (spec.properties ?? []).map(({ name }) => {
    const { reported, observedDesired } = twins.find(({ propertyName }) => propertyName === name) ?? {}
    return [name, reported?.value, observedDesired?.value]
  })
}

function valuesOf({ spec }: Device, { properties }: Twin): unknown {
  return (spec.properties ?? []).map(({ name }) => [
    name,
    properties[name]?.reported?.value,
    properties[name]?.desired?.value,
  ])
}
