import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { AGE, type Column, column, NAME } from './columns.ts'

const ROLE = 'node-role.kubernetes.io/'

/** What `kubectl get nodes` prints. */
export const NODE_COLUMNS: readonly Column[] = [
  NAME,
  column('Status', nodeStatus),
  column('Roles', nodeRoles),
  AGE,
  column('Version', (node) => info(node, 'kubeletVersion', '')),
  column('Internal-IP', (node) => address(node, 'InternalIP'), { priority: 1 }),
  column('External-IP', (node) => address(node, 'ExternalIP'), { priority: 1 }),
  column('OS-Image', (node) => info(node, 'osImage', '<unknown>'), { priority: 1 }),
  column('Kernel-Version', (node) => info(node, 'kernelVersion', '<unknown>'), { priority: 1 }),
  column('Container-Runtime', (node) => info(node, 'containerRuntimeVersion', '<unknown>'), { priority: 1 }),
]

function nodeStatus(node: ApiObject): string {
  const ready = list(at(node, 'status', 'conditions')).find((each) => at(each, 'type') === 'Ready')
  const word = ready === undefined ? 'Unknown' : at(ready, 'status') === 'True' ? 'Ready' : 'NotReady'
  return at(node, 'spec', 'unschedulable') === true ? `${word},SchedulingDisabled` : word
}

function nodeRoles(node: ApiObject): string {
  const labels = at(node.metadata, 'labels')
  if (!isJsonObject(labels)) return '<none>'
  const roles = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(ROLE) && key.length > ROLE.length) return [key.slice(ROLE.length)]
    return key === 'kubernetes.io/role' && typeof value === 'string' && value !== '' ? [value] : []
  })
  return [...new Set(roles)].sort().join(',') || '<none>'
}

function address(node: ApiObject, type: string): Json {
  const found = list(at(node, 'status', 'addresses')).find((each) => at(each, 'type') === type)
  return at(found, 'address') ?? '<none>'
}

function info(node: ApiObject, field: string, absent: string): Json {
  return at(node, 'status', 'nodeInfo', field) || absent
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}
