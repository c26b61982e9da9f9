import type { Device } from '../../../../schemas/index.ts'
import { DEVICE_MODELS, DEVICES } from '../../../cloud/kubernetes/resources.ts'
import type { Machine } from '../parts/machine.ts'
import { at, canonical, type Scene, textOf, type Witness } from './promise.ts'

/** Every node has exactly the objects that the API gives it, as they are there now, and a twin of each of its devices. */
export function exactObjects(scene: Scene): Witness {
  return {
    name: 'exact objects',
    async atRest() {
      const devices = (await scene.cluster.list(DEVICES, {})).items
      const models = (await scene.cluster.list(DEVICE_MODELS, {})).items
      for (const machine of scene.machines) {
        const own = devices.filter(({ spec }) => spec.nodeName === machine.node)
        const wanted = new Map<string, string>()
        for (const device of own)
          wanted.set(`${device.metadata.namespace}/device/${device.metadata.name}`, wantedOf(device))
        for (const model of models) {
          const { namespace, name } = model.metadata
          const isUsed = own.some(
            ({ metadata, spec }) => metadata.namespace === namespace && spec.deviceModelRef?.name === name,
          )
          if (isUsed) wanted.set(`${namespace}/devicemodel/${name}`, wantedOf(model))
        }
        const wrong = differences(wanted, holdingsOf(machine)) ?? twinDifference(own, machine)
        if (wrong) return `${machine.node}: ${wrong}`
      }
      return undefined
    },
  }
}

function wantedOf({
  metadata,
  ...object
}: {
  metadata: { uid?: string; annotations?: object }
  spec: unknown
}): string {
  return canonical([metadata.uid, metadata.annotations ?? {}, object.spec])
}

function holdingsOf({ disk }: Machine): ReadonlyMap<string, string> {
  const rows = disk.rows('meta.all').filter((row) => ['device', 'devicemodel'].includes(textOf(row, 'type')))
  return new Map(
    rows.map((row) => {
      const value: unknown = JSON.parse(textOf(row, 'value'))
      return [
        textOf(row, 'key'),
        canonical([row['uid'], at(value, 'metadata', 'annotations') ?? {}, at(value, 'spec')]),
      ]
    }),
  )
}

function differences(wanted: ReadonlyMap<string, string>, held: ReadonlyMap<string, string>): string | undefined {
  for (const [key, text] of wanted) {
    const present = held.get(key)
    if (present === undefined) return `${key} is missing`
    if (present !== text) return `${key} is ${present} and should be ${text}`
  }
  for (const key of held.keys()) if (!wanted.has(key)) return `${key} is there and should not be`
  return undefined
}

function twinDifference(own: readonly Device[], { disk }: Machine): string | undefined {
  const uids = new Map(own.map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.uid]))
  const twins = disk.rows('twin.all')
  if (twins.length !== uids.size) return `there are ${twins.length} twins for ${uids.size} devices`
  for (const row of twins) {
    const uid = at(JSON.parse(textOf(row, 'document')), 'uid')
    const id = textOf(row, 'id')
    if (uids.get(id) !== uid) return `the twin of ${id} is of ${uid} and should be of ${uids.get(id)}`
  }
  return undefined
}
