import { systemClock } from '../../../platform/time/index.ts'
import { isApiObject, isDeleting, nameOf, namespaceOf, objectAt, textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { watch } from './objects.ts'
import { type Play, playedStatus } from './played-kubelet.ts'
import { ask } from './request.ts'
import type { ServedApi } from './serve.ts'

/** Makes nodes of a served API and plays their kubelets over HTTP, until disposed. */
export async function playNodes(
  api: Pick<ServedApi, 'url' | 'pki'>,
  names: readonly string[],
  play: (pod: ApiObject) => Play = () => 'run',
): Promise<Disposable> {
  for (const name of names) {
    const body = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } }
    const made = await ask(api, { method: 'POST', path: '/api/v1/nodes', body })
    if (made.status !== 201 && made.status !== 409) throw new Error(made.text)
  }
  const watching = await watch(api, '/api/v1/pods?watch=true')
  const act = async (pod: ApiObject) => {
    const path = `/api/v1/namespaces/${namespaceOf(pod)}/pods/${nameOf(pod)}`
    if (isDeleting(pod)) return void (await ask(api, { method: 'DELETE', path: `${path}?gracePeriodSeconds=0` }))
    const told = play(pod)
    if (told === 'ignore' || textAt(objectAt(pod, 'status'), 'phase') !== 'Pending') return
    const headers = { 'content-type': 'application/merge-patch+json' }
    const status = playedStatus(pod, told, systemClock.now())
    await ask(api, { method: 'PATCH', path: `${path}/status`, headers, body: { status } })
  }
  const follow = async () => {
    for (;;) {
      const { type, object } = await watching.next()
      if (type === 'DELETED' || !isApiObject(object)) continue
      if (textAt(objectAt(object, 'spec'), 'nodeName') !== '') await act(object)
    }
  }
  // Ends with the watch.
  void follow().catch(() => undefined)
  return watching
}
