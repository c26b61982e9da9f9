import type { StatusCause } from '../../kube/status.ts'
import { invalid } from '../../kube/status.ts'

const LONGEST = 128

/** `fieldManager`, or what the client calls itself before the first slash, as far as it can be shown. Throws a Status. */
export function managerOf(query: URLSearchParams, userAgent: string): string {
  const name = query.get('fieldManager') ?? ''
  return name === '' ? shortened(userAgent.split('/')[0] ?? '') : name
}

export type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions'

/** Throws an Invalid Status for a `fieldManager` (and `force`) that a write of this sort cannot have. */
export function checkManager(query: URLSearchParams, kind: OptionsKind, isApply: boolean): void {
  const name = query.get('fieldManager') ?? ''
  const causes: StatusCause[] = []
  if (isApply && name === '') {
    causes.push(cause('FieldValueRequired', 'fieldManager', 'Required value: is required for apply patch'))
  }
  if (kind === 'PatchOptions' && !isApply && query.has('force')) {
    causes.push(cause('FieldValueForbidden', 'force', 'Forbidden: may not be specified for non-apply patch'))
  }
  if (Buffer.byteLength(name) > LONGEST) {
    causes.push(cause('FieldValueTooLong', 'fieldManager', `Too long: may not be more than ${LONGEST} bytes`))
  }
  for (const [position, character] of positions(name)) {
    if (isPrintable(character)) continue
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    const why = `invalid character U+${code} (at position ${position})`
    causes.push(cause('FieldValueInvalid', 'fieldManager', `Invalid value: ${JSON.stringify(name)}: ${why}`))
  }
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', causes)
}

function cause(reason: string, field: string, message: string): StatusCause {
  return { reason, field, message }
}

/** The characters of a text with where they begin in its UTF-8 form. */
function* positions(text: string): Generator<readonly [number, string]> {
  let position = 0
  for (const character of text) {
    yield [position, character]
    position += Buffer.byteLength(character)
  }
}

function shortened(name: string): string {
  let result = ''
  for (const character of name) {
    if (!isPrintable(character)) continue
    if (Buffer.byteLength(result + character) > LONGEST) break
    result += character
  }
  return result
}

/** Letters, marks, numbers, punctuation, symbols and the plain space. */
function isPrintable(character: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)
}
