import { type Duration, seconds } from '../../../../platform/time/index.ts'
import type { Rule } from '../../../../schemas/index.ts'
import type { FieldError } from '../../admission/field-error.ts'

/** What one rule may cost. */
export interface RuleSettings {
  /** Of a message or a request. */
  readonly maxBodyBytes: number
  /** Calls of a REST source a second; twice as many at once after a rest. */
  readonly ratePerSecond: number
  /** Calls, or deliveries of different nodes, at a time. */
  readonly concurrency: number
  /** For the answer of the other side. */
  readonly timeout: Duration
  /** Messages that wait for their target. */
  readonly queueMessages: number
  /** A message that waits longer is a dead letter. */
  readonly keepHours: number
}

interface Setting {
  readonly annotation: string
  readonly fallback: number
  readonly least: number
  readonly most: number
}

/** KubeEdge's Router reads 12 MiB. */
const MIB = 1024 * 1024

export const RULE_SETTINGS = {
  maxBodyBytes: { annotation: 'skerry.dev/max-body-bytes', fallback: 12 * MIB, least: 0, most: 100 * 1024 * MIB },
  ratePerSecond: { annotation: 'skerry.dev/rate-per-second', fallback: 200, least: 1, most: 100_000 },
  concurrency: { annotation: 'skerry.dev/concurrency', fallback: 32, least: 1, most: 1000 },
  timeoutSeconds: { annotation: 'skerry.dev/timeout-seconds', fallback: 30, least: 1, most: 600 },
  queueMessages: { annotation: 'skerry.dev/queue-messages', fallback: 10_000, least: 1, most: 1_000_000 },
  keepHours: { annotation: 'skerry.dev/keep-hours', fallback: 72, least: 1, most: 8760 },
} as const satisfies Readonly<Record<string, Setting>>

/** A setting that cannot be read counts as absent; `settingErrors` tells of it. */
export function settingsOf({ metadata }: Rule): RuleSettings {
  const read = ({ annotation, fallback, least, most }: Setting) => {
    const text = metadata.annotations?.[annotation]
    const value = text === undefined ? undefined : numberIn(text, least, most)
    return value ?? fallback
  }
  return {
    maxBodyBytes: read(RULE_SETTINGS.maxBodyBytes),
    ratePerSecond: read(RULE_SETTINGS.ratePerSecond),
    concurrency: read(RULE_SETTINGS.concurrency),
    timeout: seconds(read(RULE_SETTINGS.timeoutSeconds)),
    queueMessages: read(RULE_SETTINGS.queueMessages),
    keepHours: read(RULE_SETTINGS.keepHours),
  }
}

export function settingErrors({ metadata }: Rule): readonly FieldError[] {
  return Object.values(RULE_SETTINGS).flatMap(({ annotation, least, most }) => {
    const text = metadata.annotations?.[annotation]
    if (text === undefined || numberIn(text, least, most) !== undefined) return []
    const message = `${JSON.stringify(text.slice(0, 100))}: must be a whole number from ${least} to ${most}`
    return [{ field: `metadata.annotations[${annotation}]`, message }]
  })
}

/** Those that are judged, as they stand. */
export function settingTexts({ metadata }: Pick<Rule, 'metadata'>): readonly (string | undefined)[] {
  return Object.values(RULE_SETTINGS).map(({ annotation }) => metadata.annotations?.[annotation])
}

function numberIn(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : undefined
  return value !== undefined && value >= least && value <= most ? value : undefined
}
