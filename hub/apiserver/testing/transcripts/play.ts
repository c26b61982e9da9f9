import { type KubectlOptions, kubectl, type Run } from '../kubectl.ts'
import { matches, normalize } from './normalize.ts'
import { NAMESPACE, type Step, type Transcript } from './transcript.ts'

export interface Stage {
  /** Path of the kubeconfig of who may do everything. */
  readonly kubeconfig: string
  /** For caches and files. */
  readonly directory: string
  /** Path of the kubectl that plays; the machine's own where none is given. */
  readonly program?: string
  readonly signal?: AbortSignal
}

/** One step that went otherwise than written. */
export interface Difference {
  readonly step: Step
  readonly expected: readonly string[]
  readonly actual: readonly string[]
  readonly code: number
}

const AWAITED_MS = 30_000
const AGAIN_MS = 200

/** Plays a transcript in a namespace of its own, which goes afterwards. Answers with the first difference, or all. */
export async function play(
  stage: Stage,
  transcript: Transcript,
  namespace: string,
  isWhole = false,
): Promise<readonly Difference[]> {
  const differences: Difference[] = []
  await must(stage, ['create', 'namespace', namespace])
  try {
    for (const step of transcript.steps) {
      const difference = await take(stage, step, namespace)
      if (!difference) continue
      differences.push(difference)
      if (!isWhole) break
    }
  } finally {
    await kubectl(stage, ['delete', 'namespace', namespace, '--wait=false'], ofStage(stage))
  }
  return differences
}

/** What a step prints now, in the form of transcripts. */
export async function printed(
  stage: Stage,
  step: Step,
  namespace: string,
): Promise<{ lines: readonly string[]; code: number }> {
  const words = step.words.map((word) => word.replaceAll(NAMESPACE, namespace))
  const run = await kubectl(stage, words, {
    ...{ input: step.input.replaceAll(NAMESPACE, namespace), namespace },
    ...ofStage(stage),
  })
  return { lines: linesOf(run, namespace), code: run.code }
}

/** Does a step; the difference where it went otherwise. */
export async function take(stage: Stage, step: Step, namespace: string): Promise<Difference | undefined> {
  const end = performance.now() + (step.isAwaited ? AWAITED_MS : 0)
  for (;;) {
    const { lines, code } = await printed(stage, step, namespace)
    if (code === step.code && matches(step.expected, lines)) return undefined
    if (performance.now() >= end) return { step, expected: step.expected, actual: lines, code }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}

function linesOf({ out, err }: Run, namespace: string): readonly string[] {
  const said = normalize(out, namespace)
  const complained = normalize(err, namespace).map((line) => `! ${line}`.trimEnd())
  return [...(out === '' ? [] : said), ...(err === '' ? [] : complained)]
}

/** What has to succeed. */
export async function must(stage: Stage, words: readonly string[]): Promise<void> {
  const { code, err } = await kubectl(stage, words, ofStage(stage))
  if (code !== 0) throw new Error(`kubectl ${words.join(' ')}: ${err}`)
}

function ofStage({ signal, program }: Stage): KubectlOptions {
  return { ...(signal ? { signal } : {}), ...(program === undefined ? {} : { program }) }
}

export function differenceText({ step, expected, actual, code }: Difference): string {
  const missing = expected.filter((line) => !actual.includes(line))
  const added = actual.filter((line) => !expected.includes(line))
  // The same lines in another order.
  const isWhole = missing.length === 0 && added.length === 0
  return [
    `line ${step.line}: kubectl ${step.words.join(' ')}`,
    ...(isWhole ? expected : missing).map((line) => `  - ${line}`),
    ...(isWhole ? actual : added).map((line) => `  + ${line}`),
    ...(code === step.code ? [] : [`  exit code ${code} instead of ${step.code}`]),
  ].join('\n')
}
