import { type KubectlOptions, kubectl, type Run } from '../kubectl.ts'
import { type Beside, runBeside } from './beside.ts'
import { matches, normalize } from './normalize.ts'
import type { Stage } from './stage.ts'
import { NAMESPACE, type Step } from './transcript.ts'

/** What a step printed, in the form of transcripts. */
export interface Printed {
  readonly lines: readonly string[]
  readonly code: number
}

/** A transcript on its way through one namespace: what it keeps, and what runs beside. */
export interface Performance {
  readonly stage: Stage
  readonly namespace: string
  readonly kept: Map<string, string>
  readonly beside: Map<Step, Beside>
}

const AWAITED_MS = 30_000
const AGAIN_MS = 200

/** Makes the namespace. */
export async function open(stage: Stage, namespace: string): Promise<Performance> {
  await must(stage, ['create', 'namespace', namespace])
  return { stage, namespace, kept: new Map(), beside: new Map() }
}

/** Ends what still runs, and lets the namespace go. */
export async function close({ stage, namespace, beside }: Performance): Promise<void> {
  for (const running of beside.values()) await running.end()
  await must(stage, ['delete', 'namespace', namespace, '--wait=false'])
}

/** Does a step once; what it printed, nothing yet of one that runs beside. */
export async function act(performance: Performance, step: Step): Promise<Printed | undefined> {
  const { stage, namespace, kept, beside } = performance
  const filled = (text: string) =>
    [...kept].reduce(
      (filling, [name, value]) => filling.replaceAll(`{${name}}`, value),
      text.replaceAll(NAMESPACE, namespace),
    )
  const words = step.words.map(filled)
  const options = { input: filled(step.input), namespace, environment: step.environment, ...ofStage(stage) }
  if (step.kind === 'beside') {
    beside.set(step, await runBeside(stage, words, options))
    return undefined
  }
  const run = await kubectl(stage, words, options)
  if (step.kind !== 'kept') return { lines: linesOf(run, namespace), code: run.code }
  kept.set(step.keep, run.out.trim())
  return { lines: linesOf({ ...run, out: '' }, namespace), code: run.code }
}

/** Does a step, an awaited one until it prints what is written or its time is up. */
export async function take(performance: Performance, step: Step): Promise<Printed | undefined> {
  if (step.kind !== 'awaited') return await act(performance, step)
  return await until(
    () => act(performance, step),
    (said) => said === undefined || isAsWritten(step, said),
  )
}

/** What a step that runs beside has printed, at the end of the others: once it is as written, or its time is up. */
export async function takeBeside(performance: Performance, step: Step, limitMs = AWAITED_MS): Promise<Printed> {
  const { namespace, beside } = performance
  const running = beside.get(step)
  if (!running) throw new Error(`line ${step.line} does not run`)
  const ask = () => {
    const run = running.now()
    // The exit code of what still runs is none.
    return Promise.resolve({ lines: linesOf(run, namespace), code: run.hasEnded ? run.code : step.code })
  }
  return await until(ask, (said) => isAsWritten(step, said), limitMs)
}

async function until<T>(ask: () => Promise<T>, isEnough: (said: T) => boolean, limitMs = AWAITED_MS): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const said = await ask()
    if (isEnough(said) || performance.now() >= end) return said
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}

export function isAsWritten(step: Step, { lines, code }: Printed): boolean {
  return code === step.code && matches(step.expected, lines)
}

function linesOf({ out, err }: Run, namespace: string): readonly string[] {
  const said = normalize(out, namespace)
  const complained = normalize(err, namespace).map((line) => `! ${line}`.trimEnd())
  return [...(out === '' ? [] : said), ...(err === '' ? [] : complained)]
}

/** What has to succeed. */
async function must(stage: Stage, words: readonly string[]): Promise<void> {
  const { code, err } = await kubectl(stage, words, ofStage(stage))
  if (code !== 0) throw new Error(`kubectl ${words.join(' ')}: ${err}`)
}

function ofStage({ signal, program }: Stage): KubectlOptions {
  return { ...(signal ? { signal } : {}), ...(program === undefined ? {} : { program }) }
}
