import { matches } from './normalize.ts'
import { type Difference, must, printed, type Stage, take } from './play.ts'
import type { Step, Transcript } from './transcript.ts'

/**
 * Plays a transcript at two API servers with one kubectl, step by step, and answers with what the first prints otherwise than the
 * second. What the transcript says counts only where it leaves something open: kubectl prints some things otherwise from version to
 * version, and then the measure is what that kubectl prints at the second.
 */
export async function compare(
  stage: Stage,
  like: Stage,
  transcript: Transcript,
  namespace: string,
): Promise<readonly Difference[]> {
  const differences: Difference[] = []
  const both = [stage, like]
  await Promise.all(both.map((one) => must(one, ['create', 'namespace', namespace])))
  try {
    for (const step of transcript.steps) {
      const [here, there] = await Promise.all([outcome(stage, step, namespace), outcome(like, step, namespace)])
      if (isAsWritten(here, step) && isAsWritten(there, step)) continue
      if (here.code === there.code && here.lines.join('\n') === there.lines.join('\n')) continue
      const wanted = { ...step, code: there.code }
      differences.push({ step: wanted, expected: there.lines, actual: here.lines, code: here.code })
    }
  } finally {
    await Promise.all(both.map((one) => must(one, ['delete', 'namespace', namespace, '--wait=false'])))
  }
  return differences
}

interface Outcome {
  readonly lines: readonly string[]
  readonly code: number
}

/** An awaited step is given its time; where it never comes out as written, what it printed last is what is compared. */
async function outcome(stage: Stage, step: Step, namespace: string): Promise<Outcome> {
  if (!step.isAwaited) return printed(stage, step, namespace)
  const difference = await take(stage, step, namespace)
  return difference ? { lines: difference.actual, code: difference.code } : { lines: step.expected, code: step.code }
}

function isAsWritten({ lines, code }: Outcome, step: Step): boolean {
  return code === step.code && matches(step.expected, lines)
}
