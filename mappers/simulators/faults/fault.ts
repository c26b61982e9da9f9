import type { Parsed } from '../../../schemas/index.ts'

/** What can be wrong with a simulated device, until it is cleared. One at a time. */
export type Fault =
  /** Takes requests and answers none. */
  | { readonly kind: 'silence' }
  /** Answers with nonsense; `share` of all answers, 0 to 1. */
  | { readonly kind: 'garbage'; readonly share: number }
  /** Answers late. */
  | { readonly kind: 'slow'; readonly milliseconds: number }
  /** Ends all links and takes no new ones. */
  | { readonly kind: 'disconnect' }

const NAMES = ['silence', 'garbage', 'slow', 'disconnect'] as const

/** How a fault is written, for messages. */
export const FAULT_FORMS = 'silence, garbage SHARE (0 to 1), slow MILLISECONDS, disconnect, or ok'

/**
 * A fault as people write it: `silence`, `garbage 0.5`, `slow 800`, `disconnect`, and `ok` for none. The reason says what to
 * write instead.
 */
export function parseFault(text: string): Parsed<Fault | undefined> {
  const [word = '', amount, ...more] = text.trim().split(/\s+/)
  const name = NAMES.find((each) => each === word)
  const number = amount === undefined ? undefined : Number(amount)
  const refused = {
    ok: false,
    reason: `${JSON.stringify(text.trim().slice(0, 80))} is no fault: write ${FAULT_FORMS}`,
  } as const
  if (more.length > 0 || (number !== undefined && !(number >= 0))) return refused
  if (word === 'ok' && number === undefined) return { ok: true, value: undefined }
  if ((name === 'silence' || name === 'disconnect') && number === undefined) return { ok: true, value: { kind: name } }
  if (name === 'garbage' && (number ?? 1) <= 1) return { ok: true, value: { kind: name, share: number ?? 1 } }
  if (name === 'slow' && (number ?? 0) <= MOST_SLOW) {
    return { ok: true, value: { kind: name, milliseconds: number ?? 1000 } }
  }
  return refused
}

/** ms. */
const MOST_SLOW = 3_600_000

export function formatFault(fault: Fault | undefined): string {
  if (!fault) return 'ok'
  if (fault.kind === 'garbage') return `garbage ${fault.share}`
  return fault.kind === 'slow' ? `slow ${fault.milliseconds}` : fault.kind
}
