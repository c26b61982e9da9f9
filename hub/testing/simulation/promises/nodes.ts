import { LEASES, NODES } from '../../../cloud/kubernetes/resources.ts'
import { at, type Scene, type Witness } from './promise.ts'

/** A node is connected to one cloud half, registered and Ready, and its lease is renewed. */
export function trueNodes(scene: Scene): Witness {
  return {
    name: 'true nodes',
    async atRest() {
      for (const { node, edge } of scene.machines) {
        // It comes back after its pause; until then nobody can know how it is.
        if (!edge?.isConnected()) return `${node} is not connected`
        const having = scene.replicas.filter(({ cloud }) => cloud?.isConnected(node))
        if (having.length !== 1) return `${having.length} cloud halves have ${node}`
        const object = await scene.cluster.get(NODES, { name: node })
        const conditions = at(object, 'status', 'conditions')
        const ready = Array.isArray(conditions) ? conditions.find((each) => at(each, 'type') === 'Ready') : undefined
        if (at(ready, 'status') !== 'True') return `${node} is not Ready`
        const lease = await scene.cluster.get(LEASES, { namespace: 'kube-node-lease', name: node })
        const renewed = Date.parse(String(at(lease, 'spec', 'renewTime')))
        const age = edge.clock.now() - renewed
        if (!(age >= 0 && age < 15_000)) return `the lease of ${node} was renewed ${age} ms ago`
      }
      return undefined
    },
  }
}
