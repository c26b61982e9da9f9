import { LEASES, NODES } from '../../../cloud/kubernetes/resources.ts'
import { at, type Scene, type Witness } from './promise.ts'

/** A node that is connected says so: it is registered, Ready, and its lease is renewed. */
export function trueNodes(scene: Scene): Witness {
  return {
    name: 'true nodes',
    async atRest() {
      for (const { node, edge } of scene.machines) {
        const object = await scene.cluster.get(NODES, { name: node })
        const conditions = at(object, 'status', 'conditions')
        const ready = Array.isArray(conditions) ? conditions.find((each) => at(each, 'type') === 'Ready') : undefined
        if (at(ready, 'status') !== 'True') return `${node} is not Ready`
        const lease = await scene.cluster.get(LEASES, { namespace: 'kube-node-lease', name: node })
        const renewed = Date.parse(String(at(lease, 'spec', 'renewTime')))
        const age = (edge?.clock.now() ?? 0) - renewed
        if (!(age >= 0 && age < 40_000)) return `the lease of ${node} was renewed ${age} ms ago`
      }
      return undefined
    },
  }
}
