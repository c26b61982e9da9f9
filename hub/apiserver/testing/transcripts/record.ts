import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TRANSCRIPTS } from './library.ts'
import { close, open, type Printed, take, takeBeside } from './perform.ts'
import type { Stage } from './stage.ts'
import type { Step, Transcript } from './transcript.ts'

/** What runs beside has so long for its last words. */
const SETTLED_MS = 1_500

/** Keeps commands, inputs and remarks, and writes anew what each command prints. Awaited steps stay as they are. */
export async function record(stage: Stage, transcript: Transcript, namespace: string): Promise<void> {
  const file = join(TRANSCRIPTS, `${transcript.name}.txt`)
  const printed = new Map<Step, Printed | undefined>()
  const performance = await open(stage, namespace)
  try {
    for (const step of transcript.steps) {
      const said = await take(performance, step)
      if (step.kind !== 'awaited') printed.set(step, said)
    }
    for (const step of performance.beside.keys()) printed.set(step, await takeBeside(performance, step, SETTLED_MS))
  } finally {
    await close(performance)
  }
  const lines = (await readFile(file, 'utf8')).split('\n')
  const made = lines.slice(0, (transcript.steps[0]?.line ?? 1) - 1)
  for (const [position, step] of transcript.steps.entries()) {
    const own = lines.slice(step.line - 1, (transcript.steps[position + 1]?.line ?? lines.length + 1) - 1)
    const said = printed.get(step)
    made.push(...(said ? recorded(step, own, said) : own))
  }
  await writeFile(file, `${made.join('\n').trimEnd()}\n`)
}

function recorded({ input }: Step, own: readonly string[], { lines, code }: Printed): readonly string[] {
  const command = 1 + (input === '' ? 0 : input.split('\n').length)
  return [
    ...own.slice(0, command),
    ...lines,
    ...(code === 0 ? [] : [`[${code}]`]),
    ...own.slice(command).filter((line) => line.startsWith('# ')),
    ...(own.at(-1) === '' ? [''] : []),
  ]
}
