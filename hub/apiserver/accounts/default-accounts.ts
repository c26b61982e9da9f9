import { createReconciler } from '../../../platform/lifecycle/index.ts'
import { isDeleting, nameOf, sameJson, withContent } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import { type ApiContext, systemChange } from '../rest/context.ts'
import { createObject } from '../rest/create.ts'
import { updateObject } from '../rest/update.ts'

export interface DefaultAccountsOptions extends ControllerOptions {
  /** PEM of the authority that signed the API's serving certificate. */
  readonly ca: string
}

const NAMESPACES = '/namespaces'
const ACCOUNTS = '/serviceaccounts'
const CONFIG_MAPS = '/configmaps'
const ACCOUNT = 'default'
const ROOT_CA = 'kube-root-ca.crt'
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal ' +
  'service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** Every namespace has a service account `default`, and a ConfigMap that says by which authority the API is known. */
export function defaultAccounts({ api, metrics, ca }: DefaultAccountsOptions): Controller {
  const reconcile = async (namespace: string, signal: AbortSignal) => {
    const found = api.store.get(NAMESPACES, keyOf('', namespace))
    if (!found || isDeleting(found)) return
    const account: ApiObject = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT, namespace } }
    if (!api.store.get(ACCOUNTS, keyOf(namespace, ACCOUNT))) await make(api, ACCOUNTS, namespace, account, signal)
    await publish(api, namespace, { 'ca.crt': ca }, signal)
  }
  const reconciler = createReconciler({
    ...{ name: 'default-accounts', workers: 2, clock: api.clock, random: api.random, log: api.log, metrics, reconcile },
  })
  return {
    watch() {
      for (const [, namespace] of api.store.list(NAMESPACES)) reconciler.enqueue(nameOf(namespace))
      return api.store.onChange((resource, { key, after }) => {
        const [namespace = '', name = ''] = key.split('/')
        if (resource === NAMESPACES && after) reconciler.enqueue(name)
        else if (resource === ACCOUNTS && name === ACCOUNT && !after) reconciler.enqueue(namespace)
        else if (resource === CONFIG_MAPS && name === ROOT_CA) reconciler.enqueue(namespace)
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

async function publish(
  api: ApiContext,
  namespace: string,
  data: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const present = api.store.get(CONFIG_MAPS, keyOf(namespace, ROOT_CA))
  if (!present) {
    const annotations = { 'kubernetes.io/description': DESCRIPTION }
    const metadata = { name: ROOT_CA, namespace, annotations }
    await make(api, CONFIG_MAPS, namespace, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }, signal)
    return
  }
  const definition = api.registry.stored(CONFIG_MAPS)
  if (!definition || sameJson(present['data'], data)) return
  await updateObject(
    api,
    systemChange(definition, namespace, signal),
    { name: ROOT_CA, subresource: '' },
    { propose: (current) => withContent(current, { data, binaryData: undefined }) },
  )
}

async function make(
  api: ApiContext,
  resource: string,
  namespace: string,
  object: ApiObject,
  signal: AbortSignal,
): Promise<void> {
  const definition = api.registry.stored(resource)
  if (!definition) return
  try {
    await createObject(api, systemChange(definition, namespace, signal), object)
  } catch (error) {
    // Somebody else made it, or the namespace is about to go: a change that will be seen.
    const reason = error instanceof StatusError ? error.status.reason : undefined
    if (reason !== 'AlreadyExists' && reason !== 'Forbidden' && reason !== 'NotFound') throw error
  }
}
