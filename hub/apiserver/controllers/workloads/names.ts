import type { JsonObject } from '../../../../schemas/index.ts'
import { canonicalText } from '../../../kube/schema/index.ts'

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** Names what a template is, in letters that spell no words: FNV-1a of it, and of how often such a name was taken already. */
export function templateHash(template: JsonObject, collisions: number): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(`${canonicalText(template)}${collisions === 0 ? '' : collisions}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  }
  return [...String(hash)].map((digit) => LETTERS[digit.charCodeAt(0) % LETTERS.length]).join('')
}
