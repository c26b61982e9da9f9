import { parseTwin } from '../../../../schemas/index.ts'
import { DEVICE_MODELS, DEVICES } from '../../../cloud/kubernetes/resources.ts'
import { type Scene, textOf, type Witness } from './promise.ts'

/** The edge knows the last desired value of the spec, holds it or a wish made at the edge, and the device has what the twin wants. */
export function latestDesired(scene: Scene): Witness {
  return {
    name: 'latest desired',
    async atRest() {
      const { items } = await scene.cluster.list(DEVICES, {})
      const models = (await scene.cluster.list(DEVICE_MODELS, {})).items
      for (const machine of scene.machines) {
        for (const row of machine.disk.rows('twin.all')) {
          const twin = parseTwin(textOf(row, 'document'))
          const device = items.find(({ metadata }) => metadata.uid === twin?.uid)
          if (!twin || !device) return `${machine.node}: ${textOf(row, 'id')} has no device`
          // Without its model a device is not driven.
          const { namespace } = device.metadata
          const isDriven = models.some(
            ({ metadata }) => metadata.namespace === namespace && metadata.name === device.spec.deviceModelRef?.name,
          )
          for (const [name, { desired, intent, writable, modelType, failure }] of Object.entries(twin.properties)) {
            const where = `${machine.node}: ${name} of ${twin.id}`
            const wanted = device.spec.properties?.find((each) => each.name === name)?.desired?.value
            if (intent?.value !== wanted)
              return `${where} should know the desired value ${wanted}, not ${intent?.value}`
            const isAsked = wanted !== undefined && desired?.value === wanted
            const isWished = desired?.origin === 'edge' && scene.wishes.has(`${twin.id}/${name}/${desired.value}`)
            if (!isAsked && !isWished && (wanted !== undefined || desired)) return `${where} wants ${desired?.value}`
            const value = machine.thing(twin.id).values.get(name) ?? '0'
            const isOrdered =
              isDriven && desired !== undefined && writable && modelType !== undefined && failure?.reason !== 'Refused'
            if (isOrdered && value !== desired.value) return `${where} is ${value} and should be ${desired.value}`
          }
        }
      }
      return undefined
    },
  }
}
