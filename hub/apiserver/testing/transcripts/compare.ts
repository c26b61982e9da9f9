import { close, isAsWritten, open, type Printed, take, takeBeside } from './perform.ts'
import type { Difference } from './play.ts'
import type { Stage } from './stage.ts'
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
  const judge = (step: Step, here: Printed | undefined, there: Printed | undefined) => {
    if (!here || !there || (isAsWritten(step, here) && isAsWritten(step, there))) return
    if (here.code === there.code && here.lines.join('\n') === there.lines.join('\n')) return
    const wanted = { ...step, code: there.code }
    differences.push({ step: wanted, expected: there.lines, actual: here.lines, code: here.code })
  }
  const [one, other] = await Promise.all([open(stage, namespace), open(like, namespace)])
  try {
    for (const step of transcript.steps) {
      const [here, there] = await Promise.all([take(one, step), take(other, step)])
      judge(step, here, there)
    }
    for (const step of one.beside.keys()) {
      const [here, there] = await Promise.all([takeBeside(one, step), takeBeside(other, step)])
      judge(step, here, there)
    }
  } finally {
    await Promise.all([close(one), close(other)])
  }
  return differences
}
