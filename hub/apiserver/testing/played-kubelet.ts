import type { JsonObject } from '../../../schemas/index.ts'
import {
  arrayAt,
  isDeleting,
  isJsonObject,
  nameOf,
  objectAt,
  textAt,
  timestamp,
  withContent,
} from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { systemChange } from '../rest/context.ts'
import { removeObject } from '../rest/remove.ts'
import { updateObject } from '../rest/update.ts'
import type { ApiBench } from './api-bench.ts'

/** What a played node does with a pod: runs it, has it end well or badly, or leaves it as it is. */
export type Play = 'run' | 'succeed' | 'fail' | 'ignore'

/** The status of a pod as its node tells it. */
export function playedStatus(pod: ApiObject, play: Play, now: number): JsonObject {
  const time = timestamp(now)
  const names = arrayAt(objectAt(pod, 'spec'), 'containers')
    .filter(isJsonObject)
    .map((each) => textAt(each, 'name'))
  const isRunning = play === 'run'
  const exitCode = play === 'succeed' ? 0 : 1
  const state = isRunning
    ? { running: { startedAt: time } }
    : { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: time } }
  const conditions = arrayAt(objectAt(pod, 'status'), 'conditions').filter(
    (each) => isJsonObject(each) && each['type'] !== 'Ready',
  )
  return {
    ...objectAt(pod, 'status'),
    phase: isRunning ? 'Running' : play === 'succeed' ? 'Succeeded' : 'Failed',
    startTime: time,
    conditions: [...conditions, { type: 'Ready', status: isRunning ? 'True' : 'False', lastTransitionTime: time }],
    containerStatuses: names.map((name) => ({
      name,
      ready: isRunning,
      restartCount: 0,
      image: '',
      imageID: '',
      state,
    })),
  }
}

/** Plays the kubelets of all nodes of a bench: pods that are bound do what `playOf` says, and those that are to go end at once. */
export function playKubelets(bench: ApiBench, playOf: (pod: ApiObject) => Play = () => 'run'): Disposable {
  const { api } = bench
  const signal = new AbortController().signal
  const act = async (pod: ApiObject) => {
    const definition = api.registry.stored('/pods')
    if (!definition) return
    const change = systemChange(definition, textAt(pod.metadata, 'namespace'), signal)
    if (isDeleting(pod)) {
      const options = { propagation: 'Background', uid: '', resourceVersion: '', gracePeriodSeconds: 0 } as const
      await removeObject(api, change, nameOf(pod), options).catch(() => undefined)
      return
    }
    const play = playOf(pod)
    if (play === 'ignore' || textAt(objectAt(pod, 'status'), 'phase') !== 'Pending') return
    const propose = (current: ApiObject) =>
      withContent(current, { status: playedStatus(current, play, api.clock.now()) })
    await updateObject(api, change, { name: nameOf(pod), subresource: 'status' }, { propose }).catch(() => undefined)
  }
  return api.store.onChange((resource, { after }) => {
    if (resource === '/pods' && after && textAt(objectAt(after, 'spec'), 'nodeName') !== '') void act(after)
  })
}
