import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TRANSCRIPTS } from './library.ts'
import { must, printed, type Stage, take } from './play.ts'
import type { Transcript } from './transcript.ts'

/** Keeps commands, inputs and remarks, and writes anew what each command prints. Awaited steps stay as they are. */
export async function record(stage: Stage, transcript: Transcript, namespace: string): Promise<void> {
  const file = join(TRANSCRIPTS, `${transcript.name}.txt`)
  const lines = (await readFile(file, 'utf8')).split('\n')
  const made: string[] = lines.slice(0, (transcript.steps[0]?.line ?? 1) - 1)
  await must(stage, ['create', 'namespace', namespace])
  for (const [position, step] of transcript.steps.entries()) {
    const next = transcript.steps[position + 1]?.line ?? lines.length + 1
    const own = lines.slice(step.line - 1, next - 1)
    if (step.isAwaited) {
      // What comes after it builds on it.
      await take(stage, step, namespace)
      made.push(...own)
      continue
    }
    const inputLines = step.input === '' ? 0 : step.input.split('\n').length
    made.push(...own.slice(0, 1 + inputLines))
    const { lines: said, code } = await printed(stage, step, namespace)
    made.push(...said, ...(code === 0 ? [] : [`[${code}]`]), ...(own.at(-1) === '' ? [''] : []))
  }
  await must(stage, ['delete', 'namespace', namespace, '--wait=false'])
  await writeFile(file, `${made.join('\n').trimEnd()}\n`)
}
