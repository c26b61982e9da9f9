import { StatusError } from '../kube/status.ts'
import { type ApiContext, systemChange } from './rest/context.ts'
import { createObject } from './rest/create.ts'

const NAMES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** Makes the namespaces that every cluster has. */
export async function installNamespaces(api: ApiContext, signal: AbortSignal): Promise<void> {
  const definition = api.registry.find('', 'v1', 'namespaces')
  if (!definition) return
  for (const name of NAMES) {
    try {
      await createObject(api, systemChange(definition, '', signal), {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      })
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.reason !== 'AlreadyExists') throw error
    }
  }
}
