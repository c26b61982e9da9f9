import type { AssignedDevice } from '../../../schemas/index.ts'

export interface MethodFinding {
  /** JSON pointer into the Device. */
  readonly pointer: string
  readonly message: string
}

/** What keeps the methods of a device from being called. The device is served all the same. */
export function methodFindings({ device, model }: AssignedDevice): readonly MethodFinding[] {
  const findings: MethodFinding[] = []
  const properties = new Set(device.spec.properties?.map(({ name }) => name))
  const modelled = new Set(model?.spec?.properties?.map(({ name }) => name))
  const seen = new Set<string>()
  for (const [index, { name, propertyNames = [] }] of (device.spec.methods ?? []).entries()) {
    const pointer = `/spec/methods/${index}`
    if (seen.has(name))
      findings.push({ pointer: `${pointer}/name`, message: `${name} stands here twice; the first is called` })
    seen.add(name)
    if (propertyNames.length === 0) {
      findings.push({ pointer: `${pointer}/propertyNames`, message: 'is empty: the method does nothing' })
    }
    for (const [at, property] of propertyNames.entries()) {
      if (properties.has(property)) continue
      const why = modelled.has(property)
        ? 'is in the DeviceModel, but not among the properties of the Device'
        : 'is no property of the Device'
      findings.push({ pointer: `${pointer}/propertyNames/${at}`, message: `${property} ${why}` })
    }
  }
  return findings
}
