import { fieldValue, resourceValue } from '../../pod/downward.ts'
import type { DownwardFile } from '../../pod/schema/volume.ts'
import type { ContentOf, SourceFiles } from './sources.ts'

/** Files of what a pod is told of itself. What is known only when it runs (its addresses) is for the environment alone. */
export function downwardFiles(items: readonly DownwardFile[], mode: number, { pod, facts }: ContentOf): SourceFiles {
  return items.map((item) => {
    const value = told(item)
    return [item.path, { data: Buffer.from(value), mode: item.mode ?? mode }]
  })

  function told({ path, fieldRef, resourceFieldRef }: DownwardFile): string {
    if (fieldRef) {
      const { fieldPath } = fieldRef
      const value = fieldPath.startsWith('metadata.') ? fieldValue(pod, facts, fieldPath) : undefined
      if (value !== undefined) return value
      throw new Error(`${path}: fieldPath "${fieldPath}" cannot be told in a file`)
    }
    if (!resourceFieldRef) throw new Error(`${path}: neither fieldRef nor resourceFieldRef says what to tell`)
    const value = resourceValue(pod, undefined, facts, resourceFieldRef)
    if (value !== undefined) return value
    const { containerName = '', resource, divisor = 1 } = resourceFieldRef
    throw new Error(`${path}: ${resource} of container "${containerName}" in units of ${divisor} cannot be told`)
  }
}
