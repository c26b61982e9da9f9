import type { Scene, Witness } from './promise.ts'

/** No queue grows beyond its bound, at any time. */
export function boundedQueues(scene: Scene): Witness {
  return {
    name: 'bounded queues',
    sample() {
      for (const { node, edge } of scene.machines) {
        if (!edge || edge.clock.isDead) continue
        const waiting = edge.counting.level('skerry_edgehub_user_waiting')
        if (waiting > scene.limits.maxMessages) return `${node}: ${waiting} user messages wait`
      }
      for (const { cloud } of scene.replicas) {
        const depth = cloud?.counting.level('skerry_cloudhub_outbox_depth') ?? 0
        if (depth > MOST_OBJECTS) return `${depth} objects wait for nodes`
      }
      return undefined
    },
  }
}

/** More than all objects that any history makes, with their deletions. */
const MOST_OBJECTS = 400
