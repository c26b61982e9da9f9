import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compare } from './compare.ts'
import { readTranscripts } from './library.ts'
import { type Difference, differenceText, play } from './play.ts'
import { record } from './record.ts'
import type { Stage } from './stage.ts'
import type { Transcript } from './transcript.ts'

const USAGE = `which Kubernetes? npm run test:kubernetes -- --kubeconfig FILE [options] [NAME...]
  --kubectl PATH   the kubectl that plays, where it is not the machine's own
  --like FILE      compare with the API server of this kubeconfig, instead of with what is written
  --record         write down anew what it prints: for a conformant one only
`

/** Of names of namespaces, which no rule of `normalize` takes for something else. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/**
 * `npm run test:kubernetes -- --kubeconfig FILE [NAME...]`: plays the transcripts against any Kubernetes, each in a namespace that it
 * makes and takes away. Needs kubectl and rights of an administrator.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kubeconfig: { type: 'string' },
    kubectl: { type: 'string' },
    like: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
})
const { kubeconfig, like } = values
if (kubeconfig === undefined || (like !== undefined && values.record)) {
  process.stderr.write(USAGE)
  process.exit(2)
}
const directory = await mkdtemp(join(tmpdir(), 'skerry-transcripts-'))
const stage = await stageOf(kubeconfig, 'here')
const other = like === undefined ? undefined : await stageOf(like, 'there')
try {
  const transcripts = await readTranscripts(positionals)
  let failed = 0
  for (const transcript of transcripts) {
    const namespace = `t-${transcript.name}-${Array.from(randomBytes(6), (byte) => LETTERS[byte % LETTERS.length]).join('')}`
    if (values.record) {
      await record(stage, transcript, namespace)
      process.stdout.write(`recorded ${transcript.name}\n`)
      continue
    }
    const differences = other
      ? await compare(stage, other, transcript, namespace)
      : await play(stage, transcript, namespace, true)
    if (differences.length > 0) failed++
    report(transcript, differences)
  }
  if (!values.record) process.stdout.write(`${transcripts.length - failed} passed, ${failed} failed\n`)
  process.exitCode = failed > 0 ? 1 : 0
} finally {
  await rm(directory, { recursive: true, force: true })
}

/** Caches of two servers stay apart. */
async function stageOf(file: string, name: string): Promise<Stage> {
  const home = join(directory, name)
  await mkdir(home)
  const { kubectl } = values
  return { kubeconfig: file, directory: home, ...(kubectl === undefined ? {} : { program: kubectl }) }
}

function report(transcript: Transcript, differences: readonly Difference[]): void {
  process.stdout.write(`${differences.length > 0 ? 'FAILED' : 'ok'} ${transcript.name}\n`)
  for (const difference of differences) process.stdout.write(`${differenceText(difference)}\n`)
}
