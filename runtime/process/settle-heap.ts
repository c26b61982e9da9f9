import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * One full collection after the start. Loading leaves V8 with a young generation of some 30 MB that an idle process never
 * fills, so that it would never be given back; under load it grows again by itself.
 */
export function settleHeap(): void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync' })
}
