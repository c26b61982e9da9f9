import { MOST_RESTARTED, type PodRestarted, restartPods } from '../../../schemas/index.ts'
import { podKey } from '../pod/pod.ts'
import type { Crew } from './crew.ts'
import { identityOf } from './desired-pods.ts'

/** Takes what others want restarted. `restart` says why not, or undefined. */
export function serveRestarts(
  { bus, desired }: Pick<Crew, 'bus' | 'desired'>,
  restart: (uid: string) => string | undefined,
): Disposable {
  const uidsByKey = () => {
    const uids = new Map<string, string>()
    for (const uid of desired.uids()) {
      const found = desired.get(uid)
      if (found) uids.set(podKey(identityOf(found.parsed)), uid)
    }
    return uids
  }
  return bus.serve(restartPods, async ({ namespace, names }) => {
    const uids = uidsByKey()
    return names.map((name, index): PodRestarted => {
      const uid = uids.get(`${namespace}/${name}`)
      if (uid === undefined) return { name, outcome: 'unknown', reason: 'this node has no such pod' }
      const isTooMany = index >= MOST_RESTARTED
      const reason = isTooMany ? `no more than ${MOST_RESTARTED} are restarted at once` : restart(uid)
      return reason === undefined ? { name, outcome: 'restarting' } : { name, outcome: 'refused', reason }
    })
  })
}
