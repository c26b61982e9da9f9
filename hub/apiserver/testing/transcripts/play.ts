import { close, isAsWritten, open, type Printed, take, takeBeside } from './perform.ts'
import type { Stage } from './stage.ts'
import type { Step, Transcript } from './transcript.ts'

/** One step that went otherwise than written. */
export interface Difference {
  readonly step: Step
  readonly expected: readonly string[]
  readonly actual: readonly string[]
  readonly code: number
}

/** Plays a transcript in a namespace of its own, which goes afterwards. Answers with the first difference, or all. */
export async function play(
  stage: Stage,
  transcript: Transcript,
  namespace: string,
  isWhole = false,
): Promise<readonly Difference[]> {
  const differences: Difference[] = []
  const compare = (step: Step, said: Printed | undefined) => {
    if (said && !isAsWritten(step, said))
      differences.push({ step, expected: step.expected, actual: said.lines, code: said.code })
  }
  const performance = await open(stage, namespace)
  try {
    for (const step of transcript.steps) {
      compare(step, await take(performance, step))
      if (differences.length > 0 && !isWhole) return differences
    }
    for (const step of performance.beside.keys()) compare(step, await takeBeside(performance, step))
  } finally {
    await close(performance)
  }
  return differences
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
