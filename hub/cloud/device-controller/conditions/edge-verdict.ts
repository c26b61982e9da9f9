import type { Condition, Device } from '../../../../schemas/index.ts'

/** What the edge's mapper says of a device. */
export interface Refusal {
  /** JSON pointer into the Device. */
  readonly pointer: string
  readonly message: string
  /** The device is served all the same. */
  readonly warning?: boolean | undefined
}

export interface EdgeVerdictInput {
  readonly device: Device
  /** For the present generation; undefined when the edge has not spoken since this process began, or of an older one. */
  readonly refusals: readonly Refusal[] | undefined
  /** Condition `Accepted` as it was. */
  readonly before: Condition | undefined
  /** What there is to say where the edge has nothing against it. */
  readonly message: string
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

/** Reason of a device that is served, but not quite as its author meant it, e.g. in slower cycles. */
export const WITH_WARNINGS = 'AcceptedWithWarnings'
/** Warnings that are written out. */
const MOST_SHOWN = 5

/** `Accepted` of a device that nothing else speaks against. A refusal counts for its generation, a warning until the edge takes it back. */
export function edgeVerdict({ device, refusals, before, message }: EdgeVerdictInput): Verdict {
  const accepted: Verdict = { status: 'True', reason: 'Accepted', message }
  if (!refusals) {
    if (before?.reason === WITH_WARNINGS) return { status: 'True', reason: WITH_WARNINGS, message: before.message }
    const isRefused = before?.reason === 'RefusedByEdge' && before.observedGeneration === device.metadata.generation
    return isRefused ? refused(before.message) : accepted
  }
  const refusal = refusals.find(({ warning }) => !warning)
  if (refusal) return refused(textOf(refusal))
  if (refusals.length === 0) return accepted
  const more = refusals.length > MOST_SHOWN ? [`and ${refusals.length - MOST_SHOWN} more`] : []
  const warnings = [...refusals.slice(0, MOST_SHOWN).map(textOf), ...more]
  return { status: 'True', reason: WITH_WARNINGS, message: `${message}, with warnings: ${warnings.join('; ')}` }
}

function textOf({ pointer, message }: Refusal): string {
  return `${pointer}: ${message}`
}

function refused(message: string): Verdict {
  return { status: 'False', reason: 'RefusedByEdge', message }
}
