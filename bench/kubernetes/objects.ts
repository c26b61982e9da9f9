import { deviceAt, modelOf } from '../hub/manifests.ts'

export const NAMESPACE = 'default'
export const DEVICES = `/apis/devices.kubeedge.io/v1beta1/namespaces/${NAMESPACE}/devices`
export const MODELS = `/apis/devices.kubeedge.io/v1beta1/namespaces/${NAMESPACE}/devicemodels`
export const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`

const REGISTERS = ['first', 'second', 'third'].map((name) => ({ name, cycleMs: 1000 }))

export const MODEL_TEXT = JSON.stringify(
  modelOf(
    NAMESPACE,
    REGISTERS.map(({ name }) => name),
  ),
)

/** A device as people write it, on one of ten nodes and of one of ten lines. */
export function deviceText(index: number): string {
  const device = deviceAt({
    ...{ namespace: NAMESPACE, name: `device-${index}`, node: `edge-${index % 10}` },
    ...{ port: 5020, unitId: 1 + (index % 200), registers: REGISTERS },
  })
  const labels = { line: `line-${index % 10}` }
  return JSON.stringify({ ...device, metadata: { ...device.metadata, labels } })
}

export function mapText(name: string, value: string): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } })
}
