import type { NodeHealth } from '../../hub/edge/index.ts'
import type { ModuleState } from '../../platform/lifecycle/index.ts'

/** They tell of the road to the cloud, and whoever reads a Node has got it over that road. */
const ROAD: ReadonlySet<string> = new Set(['EdgeHub', 'CertificateRotation'])
/** A Node's condition is read at a glance; the rest is in `skerry status`. */
const LONGEST = 200

/** What of the modules of this process a Node should say. */
export function nodeHealth(states: readonly ModuleState[]): NodeHealth {
  const parts = states.filter(({ name }) => !ROAD.has(name))
  return {
    failing: parts
      .filter(({ state }) => state !== 'ready')
      .map(({ name, state, detail }) =>
        cut(detail === undefined ? `${name} is ${state}` : `${name} is ${state}: ${detail}`),
      ),
    waiting: parts.flatMap(({ name, state, pending }) =>
      state === 'ready' && pending !== undefined ? [cut(`${name} waits for ${pending}`)] : [],
    ),
  }
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`
}
