import type { StoreCall } from '../../../../platform/store/index.ts'
import type { Machine } from '../parts/machine.ts'
import { at, type Scene, textOf, type Witness } from './promise.ts'

const NAME = 'nothing resurrected'

interface Held {
  /** uid of each object on the disk, by its key. */
  readonly uids: Map<string, string>
  /** What this disk let go of after the cloud, which knew of the deletion, had said so. */
  readonly gone: Set<string>
}

/** What was deleted in the API, and then at the edge, never comes back. */
export function nothingResurrected(scene: Scene): Witness {
  const held = new Map<Machine, Held>()
  /** `<node>/<uid>` of the deletions that the cloud has sent because the object is gone, not because it has moved. */
  const said = new Set<string>()
  /** `<node>/<uid>` of what a cloud half has sent that had not heard of the deletion: another one was faster. */
  const behind = new Set<string>()
  const heldBy = (machine: Machine): Held => {
    const found = held.get(machine)
    if (found) return found
    const rows = machine.disk.rows('meta.all')
    const made: Held = { uids: new Map(rows.map((row) => [textOf(row, 'key'), textOf(row, 'uid')])), gone: new Set() }
    held.set(machine, made)
    return made
  }
  const take = (machine: Machine, { statement, parameters }: StoreCall) => {
    const { uids, gone } = heldBy(machine)
    const key = String(parameters[0])
    if (statement === 'meta.remove') {
      const uid = uids.get(key)
      uids.delete(key)
      if (uid !== undefined && said.has(`${machine.node}/${uid}`)) gone.add(uid)
    } else if (statement === 'meta.put') {
      const uid = String(parameters[2])
      uids.set(key, uid)
      if (gone.has(uid) && scene.deleted.has(uid) && !behind.has(`${machine.node}/${uid}`))
        scene.violate(NAME, `${machine.node} has ${key} (${uid}) again, which was deleted`)
    }
  }
  return {
    name: NAME,
    onFrame(node, way, { route, content }, { run, isArrival }) {
      if (way === 'up' || isArrival || route.group !== 'resource') return
      const uid = String(at(content, 'metadata', 'uid'))
      const isKnown = run.knownDeleted.has(uid)
      if (route.operation === 'delete' && isKnown) said.add(`${node}/${uid}`)
      else if (route.operation !== 'delete' && !isKnown && scene.deleted.has(uid)) behind.add(`${node}/${uid}`)
    },
    onCommitted(machine, calls) {
      for (const call of calls) if (call.statement.startsWith('meta.')) take(machine, call)
    },
    onSetback: (machine) => void held.delete(machine),
  }
}
