import { labelsOf, objectAt } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'

export const INDEX = 'batch.kubernetes.io/job-completion-index'

/** Reads `0,2-4`; what lies outside of the indexes of the job is left out. */
export function parseIndexes(text: string, completions: number): ReadonlySet<number> {
  const found = new Set<number>()
  for (const part of text.split(',').filter((each) => each !== '')) {
    const [first = Number.NaN, last = first] = part.split('-').map(Number)
    for (let index = first; index <= last && index < completions; index++) found.add(index)
  }
  return found
}

/** `0,2-4` of a set: three in a row, or two, are written as a range, as Kubernetes writes them. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const parts: string[] = []
  let first: number | undefined
  let last = -1
  const close = () => {
    if (first !== undefined)
      parts.push(first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`)
  }
  for (const index of [...indexes].sort((one, other) => one - other)) {
    if (first === undefined || index !== last + 1) {
      close()
      first = index
    }
    last = index
  }
  close()
  return parts.join(',')
}

/** The index that a pod works on; -1 for none. */
export function indexOf(pod: ApiObject): number {
  const text = objectAt(pod.metadata, 'annotations')[INDEX] ?? labelsOf(pod)[INDEX]
  const index = typeof text === 'string' && text !== '' ? Number(text) : -1
  return Number.isInteger(index) ? index : -1
}

/** The lowest indexes that nobody works on. */
export function freeIndexes(count: number, completions: number, taken: ReadonlySet<number>): readonly number[] {
  const found: number[] = []
  for (let index = 0; index < completions && found.length < count; index++) if (!taken.has(index)) found.push(index)
  return found
}
