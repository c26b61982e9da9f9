import { createReconciler, type Reconciler } from '../../../platform/lifecycle/index.ts'
import { ms } from '../../../platform/time/index.ts'
import { arrayAt, isDeleting, nameOf, objectAt, withContent } from '../../kube/object/index.ts'
import { StatusError } from '../../kube/status.ts'
import { keyOf, resourceOf } from '../../serving/objects/registry.ts'
import { type ApiContext, CONTROLLER_MANAGER, systemChange } from '../rest/context.ts'
import { inLanes } from '../rest/in-lanes.ts'
import { removeObject } from '../rest/remove.ts'
import { updateObject } from '../rest/update.ts'
import type { Controller, ControllerOptions } from './controller.ts'

const NAMESPACES = '/namespaces'
const SOON = ms(200)

/** Empties a namespace that is being deleted, then lets it go. */
export function namespaceController(options: ControllerOptions): Controller {
  const { api, metrics } = options
  const reconciler: Reconciler = createReconciler({
    name: 'namespaces',
    workers: 2,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (name, signal) => {
      if (await emptied(api, name, signal)) await release(api, name, signal)
      else if (api.store.isWriting(`${name}/`)) reconciler.enqueueAfter(name, SOON)
    },
  })
  const isEnding = (name: string) => {
    const namespace = api.store.get(NAMESPACES, keyOf('', name))
    return namespace !== undefined && isDeleting(namespace)
  }
  return {
    watch() {
      for (const [, namespace] of api.store.list(NAMESPACES))
        if (isDeleting(namespace)) reconciler.enqueue(nameOf(namespace))
      return api.store.onChange((resource, { key, after }) => {
        const [namespace = '', name = ''] = key.split('/')
        if (resource === NAMESPACES && after && isDeleting(after)) reconciler.enqueue(name)
        else if (namespace !== '' && isEnding(namespace)) reconciler.enqueue(namespace)
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

/** Asks all content to go. True when nothing is left, also nothing on its way to the disk. */
async function emptied(api: ApiContext, name: string, signal: AbortSignal): Promise<boolean> {
  const namespace = api.store.get(NAMESPACES, keyOf('', name))
  if (!namespace || !isDeleting(namespace)) return false
  let left = 0
  for (const definition of api.registry.definitions.filter((each) => each.namespaced && each.storage)) {
    const found = api.store.list(resourceOf(definition), `${name}/`)
    left += found.length
    const remaining = found.filter(([, object]) => !isDeleting(object))
    await inLanes(remaining, ([, object]) => removeContent(api, definition, name, nameOf(object), signal))
  }
  return left === 0 && !api.store.isWriting(`${name}/`)
}

async function removeContent(
  api: ApiContext,
  definition: ApiContext['registry']['definitions'][number],
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { propagation: 'Background', uid: '', resourceVersion: '' } as const
  try {
    await removeObject(api, systemChange(definition, namespace, signal, CONTROLLER_MANAGER), name, options)
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.reason !== 'NotFound') throw error
  }
}

async function release(api: ApiContext, name: string, signal: AbortSignal): Promise<void> {
  const definition = api.registry.find('', 'v1', 'namespaces')
  if (!definition) return
  await updateObject(
    api,
    systemChange(definition, '', signal, CONTROLLER_MANAGER),
    { name, subresource: 'finalize' },
    {
      propose: (current) => {
        const finalizers = arrayAt(objectAt(current, 'spec'), 'finalizers').filter((each) => each !== 'kubernetes')
        return withContent(current, { spec: { ...objectAt(current, 'spec'), finalizers } })
      },
    },
  )
}
