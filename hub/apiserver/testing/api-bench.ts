import assert from 'node:assert/strict'
import { silentMetrics } from '../../../platform/health/index.ts'
import { type MemoryLogger, memoryLogger } from '../../../platform/log/testing/index.ts'
import { systemRandom } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { memoryStore } from '../../edge/testing/memory-store.ts'
import { BUILTIN_DEFINITIONS } from '../../kube/builtin/index.ts'
import { namespaceOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { keyOf, Registry, resourceOf } from '../../serving/objects/registry.ts'
import { admissionChain } from '../admission/chain.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import { objectConverter } from '../crds/conversion.ts'
import { installNamespaces } from '../namespaces.ts'
import { type Admitter, type ApiContext, systemChange } from '../rest/context.ts'
import { createObject } from '../rest/create.ts'
import { removeObject } from '../rest/remove.ts'
import { updateObject } from '../rest/update.ts'
import { kubernetesStore } from '../storage/domain.ts'
import { ObjectStore } from '../storage/object-store.ts'

/** The objects of an API with some of its controllers, on virtual time and a disk in memory. */
export interface ApiBench extends AsyncDisposable {
  readonly api: ApiContext
  readonly clock: FakeClock
  readonly log: MemoryLogger
  create(object: ApiObject): Promise<ApiObject>
  edit(object: ApiObject, subresource: '' | 'status', propose: (current: ApiObject) => ApiObject): Promise<ApiObject>
  remove(object: ApiObject): Promise<void>
  /** As it is now; undefined where it is gone. */
  get(object: ApiObject): ApiObject | undefined
  /** Ends the controllers and starts them again, as a restart of the process does. */
  restart(): Promise<void>
}

export async function startApiBench(
  controllers: readonly ((options: ControllerOptions) => Controller)[],
  admitters: readonly Admitter[] = [],
): Promise<ApiBench> {
  const clock = new FakeClock()
  const log = memoryLogger()
  const store = new ObjectStore({ store: memoryStore([kubernetesStore]), metrics: silentMetrics })
  await store.load()
  const registry = new Registry(BUILTIN_DEFINITIONS)
  const ground = { store, clock, random: systemRandom }
  const converter = objectConverter({ ...ground, metrics: silentMetrics })
  const api: ApiContext = { ...ground, registry, admitter: admissionChain(admitters), converter, log }
  const whole = new AbortController()
  await installNamespaces(api, whole.signal)
  const running = { stop: async () => {} }
  const start = () => {
    const stop = new AbortController()
    const made = controllers.map((make) => make({ api, metrics: silentMetrics }))
    const watches = made.map((each) => each.watch())
    const runs = made.map((each) => each.run(stop.signal))
    running.stop = async () => {
      for (const each of watches) each[Symbol.dispose]()
      stop.abort(new Error('over'))
      await Promise.all(runs)
    }
  }
  start()
  const at = (object: ApiObject) => {
    const definition = registry.findKind(object.apiVersion, object.kind)
    assert.ok(definition, `${object.kind} is served`)
    const name = String(object.metadata['name'])
    const namespace = namespaceOf(object)
    return { definition, name, key: keyOf(namespace, name), change: systemChange(definition, namespace, whole.signal) }
  }
  return {
    api,
    clock,
    log,
    create: (object) => createObject(api, at(object).change, object),
    edit: (object, subresource, propose) =>
      updateObject(api, at(object).change, { name: at(object).name, subresource }, { propose }),
    async remove(object) {
      const options = { propagation: 'Background', uid: '', resourceVersion: '' } as const
      await removeObject(api, at(object).change, at(object).name, options)
    },
    get: (object) => store.get(resourceOf(at(object).definition), at(object).key),
    async restart() {
      await running.stop()
      start()
    },
    async [Symbol.asyncDispose]() {
      await running.stop()
      whole.abort(new Error('over'))
    },
  }
}
