import type { JsonObject } from '../../../../schemas/index.ts'
import { defaultPodTemplate } from '../../../kube/builtin/index.ts'
import { canonicalText, isSame } from '../../../kube/schema/index.ts'

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** Names what a template is, in letters that spell no words: FNV-1a of it, and of how often such a name was taken already. */
export function templateHash(template: JsonObject, collisions: number): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(`${canonicalText(template)}${collisions === 0 ? '' : collisions}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  }
  return [...String(hash)].map((digit) => LETTERS[digit.charCodeAt(0) % LETTERS.length]).join('')
}

/**
 * Whether two templates make the same pods. What Kubernetes fills in does not count: an object that was stored by an earlier
 * version may lack a default of this one, and must not be rolled out anew for it.
 */
export function makesSamePods(one: JsonObject, other: JsonObject): boolean {
  return isSame(defaultPodTemplate(one), defaultPodTemplate(other))
}
