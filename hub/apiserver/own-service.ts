import type { ApiObject } from '../kube/resource.ts'
import { keyOf, resourceOf } from '../serving/objects/registry.ts'
import { type ApiContext, systemChange } from './rest/context.ts'
import { createObject } from './rest/create.ts'
import { updateObject } from './rest/update.ts'

const NAME = 'kubernetes'
const LABELS = { component: 'apiserver', provider: 'kubernetes' }

/** The Service `kubernetes` of the namespace default. It has no endpoints, as nobody but this machine reaches the API on loopback. */
export async function installOwnService(api: ApiContext, port: number, signal: AbortSignal): Promise<void> {
  const head = { apiVersion: 'v1', metadata: { name: NAME, namespace: 'default', labels: LABELS } }
  await put(api, 'services', signal, {
    ...{ ...head, kind: 'Service' },
    spec: {
      clusterIP: '10.96.0.1',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
    },
  })
}

/** Makes the object, or brings what is stored to what it says. */
async function put(api: ApiContext, plural: string, signal: AbortSignal, wanted: ApiObject): Promise<void> {
  const definition = api.registry.find('', 'v1', plural)
  if (!definition) return
  const change = systemChange(definition, 'default', signal)
  if (!api.store.get(resourceOf(definition), keyOf('default', NAME))) {
    await createObject(api, change, wanted)
    return
  }
  const { metadata: _metadata, ...content } = wanted
  const propose = (current: ApiObject) => ({ ...current, ...content, metadata: current.metadata })
  await updateObject(api, change, { name: NAME, subresource: '' }, { propose })
}
