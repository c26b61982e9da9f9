import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readTranscripts, TRANSCRIPTS } from './library.ts'
import { differenceText, must, play, printed, type Stage, take } from './play.ts'
import type { Transcript } from './transcript.ts'

/**
 * `npm run test:kubernetes -- --kubeconfig FILE [NAME...]`: plays the transcripts against any Kubernetes, each in a namespace that it
 * makes and takes away. Needs kubectl (another one than the PATH's: environment KUBECTL) and rights of an administrator.
 * `--record` writes down what that Kubernetes prints instead: for a conformant one only.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kubeconfig: { type: 'string' }, record: { type: 'boolean', default: false } },
})
if (values.kubeconfig === undefined) {
  process.stderr.write('which Kubernetes? npm run test:kubernetes -- --kubeconfig FILE [NAME...]\n')
  process.exit(2)
}
const directory = await mkdtemp(join(tmpdir(), 'skerry-transcripts-'))
const stage: Stage = { kubeconfig: values.kubeconfig, directory }
let failed = 0
try {
  const transcripts = await readTranscripts(positionals)
  for (const transcript of transcripts) {
    const namespace = `t-${transcript.name}-${randomBytes(3).toString('hex').replaceAll(/[0-9]/g, 'z')}`
    if (values.record) await record(transcript, namespace)
    else await test(transcript, namespace)
  }
  if (!values.record) process.stdout.write(`${transcripts.length - failed} passed, ${failed} failed\n`)
} finally {
  await rm(directory, { recursive: true, force: true })
}
process.exitCode = failed > 0 ? 1 : 0

async function test(transcript: Transcript, namespace: string): Promise<void> {
  const differences = await play(stage, transcript, namespace, true)
  if (differences.length > 0) failed++
  process.stdout.write(`${differences.length > 0 ? 'FAILED' : 'ok'} ${transcript.name}\n`)
  for (const difference of differences) process.stdout.write(`${differenceText(difference)}\n`)
}

/** Keeps commands, inputs and remarks, and writes anew what each command prints. Awaited steps stay as they are. */
async function record(transcript: Transcript, namespace: string): Promise<void> {
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
  process.stdout.write(`recorded ${transcript.name}\n`)
}
