import { type Clock, ms } from '../../../platform/time/index.ts'
import type { Parsed } from '../../../schemas/index.ts'
import { type Fault, parseFault } from './fault.ts'

/** Faults over time. Each step waits `after`, is faulty `for` so long, and is healthy then. Times in ms. */
export interface FaultScript {
  readonly steps: readonly FaultStep[]
  /** Begins anew after the last step; otherwise the device stays healthy. */
  readonly repeat: boolean
}
export interface FaultStep {
  readonly after: number
  readonly fault: Fault
  readonly for: number
}

export interface FaultPlay {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly apply: (fault: Fault | undefined) => Promise<void>
}

const MOST_STEPS = 1000
const SHORTEST_ROUND = 10
const TIME = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Plays the script to its end, or until the signal aborts. The device is healthy afterwards. */
export async function playFaults(script: FaultScript, { clock, signal, apply }: FaultPlay): Promise<void> {
  try {
    do {
      for (const step of script.steps) {
        await clock.sleep(ms(step.after), signal)
        await apply(step.fault)
        await clock.sleep(ms(step.for), signal)
        await apply(undefined)
      }
    } while (script.repeat)
  } catch (error) {
    if (!signal.aborted) throw error
    await apply(undefined)
  }
}

/**
 * A script as data: `{repeat: true, steps: [{after: 10s, fault: silence, for: 5s}]}`, or the bare list of steps. Times are
 * texts with a unit or ms. The reason begins with a JSON pointer.
 */
export function parseFaultScript(value: unknown): Parsed<FaultScript> {
  const steps = Array.isArray(value) ? value : field(value, 'steps')
  const repeat = Array.isArray(value) ? undefined : field(value, 'repeat')
  if (!Array.isArray(steps) || steps.length === 0 || steps.length > MOST_STEPS) {
    return refused('/steps', `must be a list of 1 to ${MOST_STEPS} steps, each {after: 10s, fault: silence, for: 5s}`)
  }
  if (repeat !== undefined && typeof repeat !== 'boolean') return refused('/repeat', 'must be true or false')
  const parsed: FaultStep[] = []
  for (const [index, step] of steps.entries()) {
    const at = `/steps/${index}`
    const after = timeOf(field(step, 'after') ?? 0)
    const lasting = timeOf(field(step, 'for'))
    const text = field(step, 'fault')
    if (after === undefined) return refused(`${at}/after`, 'must be a time, as 500ms, 10s or 5m')
    if (lasting === undefined) return refused(`${at}/for`, 'must be a time, as 500ms, 10s or 5m')
    const fault = parseFault(typeof text === 'string' ? text : '')
    if (!fault.ok) return refused(`${at}/fault`, fault.reason)
    if (!fault.value) return refused(`${at}/fault`, 'must be a fault: between the steps all is well anyhow')
    parsed.push({ after, fault: fault.value, for: lasting })
  }
  const round = parsed.reduce((sum, step) => sum + step.after + step.for, 0)
  if (repeat && round < SHORTEST_ROUND)
    return refused('/steps', `must take at least ${SHORTEST_ROUND} ms to be repeated`)
  return { ok: true, value: { steps: parsed, repeat: repeat ?? false } }
}

function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  const [, amount, unit = ''] = TIME.exec(typeof value === 'string' ? value : '') ?? []
  return amount === undefined ? undefined : Number(amount) * (UNITS[unit] ?? 1)
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function refused(pointer: string, reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason: `${pointer}: ${reason}` }
}
