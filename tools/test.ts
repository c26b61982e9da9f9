import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative, resolve } from 'node:path'
import { run } from 'node:test'
import { NOT_APPLICABLE } from '../mappers/testing/not-applicable.ts'
import { LIMIT } from './testing/end-in-time.ts'
import { NEEDS } from './testing/needs.ts'

/** One way of running test files, and which files it takes. */
interface Suite {
  readonly name: string
  readonly pattern: string
  readonly excludes: readonly string[]
  readonly concurrency: number
  /** Of one test that names no limit of its own. */
  readonly testMs: number
  readonly fileMs: number
}

const FOLDERS = '{schemas,platform,twin,mappers,hub,runtime,samples,tools,bench,deploy}'
/** Loaded into each test file, to end one that does not end by itself. */
const END_IN_TIME = new URL('./testing/end-in-time.ts', import.meta.url).href
/** Each file is a process: what one has compiled, the others and what they start need not compile again. */
const COMPILED = resolve('node_modules/.cache/skerry-tests')
/** After the limit of a file: then its process is beyond ending itself, or what it started holds its output open. */
const PATIENCE_MS = 60_000
/** So much of what a file wrote to stderr is kept for its failure. */
const LAST_WORDS = 4000
const cores = availableParallelism()

const SUITES: readonly Suite[] = [
  {
    name: 'unit',
    pattern: '.test.ts',
    excludes: ['.it.test.ts', '.e2e.test.ts', '.sim.test.ts'],
    concurrency: cores,
    testMs: 60_000,
    fileMs: 180_000,
  },
  { name: 'it', pattern: '.it.test.ts', excludes: [], concurrency: cores, testMs: 120_000, fileMs: 480_000 },
  // Four minutes where nothing else runs.
  { name: 'sim', pattern: '.sim.test.ts', excludes: [], concurrency: cores, testMs: 2_400_000, fileMs: 2_400_000 },
  {
    name: 'e2e',
    pattern: '.e2e.test.ts',
    excludes: [],
    concurrency: Math.max(1, Math.floor(cores / 2)),
    testMs: 300_000,
    fileMs: 900_000,
  },
]

interface Tally {
  passed: number
  failed: number
  skipped: number
  /** Checks of the contract for what a mapper cannot do: there is nothing to try, so they are no tests of it. */
  notApplicable: number
}

/** `node tools/test.ts [unit|it|sim|e2e ...] [path prefix ...]`: all suites without a name; prefixes narrow the files. */
async function main(words: readonly string[]): Promise<number> {
  const named = SUITES.filter((suite) => words.includes(suite.name))
  const prefixes = words.filter((word) => !SUITES.some((suite) => suite.name === word))
  const total: Tally = { passed: 0, failed: 0, skipped: 0, notApplicable: 0 }
  const durations: { file: string; ms: number }[] = []
  for (const suite of named.length > 0 ? named : SUITES) {
    const files = filesOf(suite, prefixes)
    if (files.length === 0) continue
    const start = performance.now()
    await runSuite(suite, files, total, durations)
    print(`${suite.name}: ${files.length} files in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  }
  const slowest = durations.sort((a, b) => b.ms - a.ms).slice(0, 5)
  if (slowest.length > 0)
    print(`slowest: ${slowest.map(({ file, ms }) => `${file} ${(ms / 1000).toFixed(1)} s`).join(', ')}`)
  if (total.notApplicable > 0) print(`checks of the contract that do not apply to a mapper: ${total.notApplicable}`)
  print(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  return total.failed > 0 || total.passed === 0 ? 1 : 0
}

function filesOf(suite: Suite, prefixes: readonly string[]): readonly string[] {
  return globSync(`${FOLDERS}/**/*${suite.pattern}`)
    .filter((file) => !suite.excludes.some((suffix) => file.endsWith(suffix)))
    .filter((file) => prefixes.length === 0 || prefixes.some((prefix) => file.startsWith(prefix)))
    .sort()
}

async function runSuite(
  suite: Suite,
  files: readonly string[],
  total: Tally,
  durations: { file: string; ms: number }[],
): Promise<void> {
  const { concurrency, testMs, fileMs } = suite
  const env = { NODE_COMPILE_CACHE: COMPILED, ...process.env, [LIMIT]: String(fileMs) }
  const stream = run({ files: [...files], concurrency, timeout: testMs, execArgv: ['--import', END_IN_TIME], env })
  const lastWords = new Map<string, string>()
  const fail = (where: string, what: string, why: string) => {
    total.failed++
    print(`FAILED ${where}: ${what}\n${indent(why)}`)
  }
  stream.on('test:pass', (event) => {
    // Node.js reports a file as a test of its own when there is none in it.
    if (isFileEntry(event.name, files)) return fail(event.name, 'no test', 'The file has no test in it.')
    if (event.skip !== undefined && event.skip !== false) {
      const reason = event.skip === true ? 'no reason' : event.skip
      if (process.env['CI'] === 'true' && reason.startsWith(NEEDS)) {
        return fail(event.file ?? '', event.name, `In CI nothing is skipped for a missing program: ${reason}.`)
      }
      if (reason.startsWith(NOT_APPLICABLE)) {
        total.notApplicable++
        return
      }
      total.skipped++
      print(`skipped: ${event.name} (${reason})`)
    } else if (event.details.type !== 'suite' && event.todo === undefined) total.passed++
  })
  stream.on('test:fail', (event) => {
    const isSummary = event.details.type === 'suite' || isFileEntry(event.name, files)
    const kind = 'failureType' in event.details.error ? event.details.error.failureType : undefined
    if (isSummary && kind === 'subtestsFailed') return
    // What ended a file as a whole is told by its last words alone.
    const words = isSummary ? (lastWords.get(event.file ?? '') ?? '') : ''
    fail(event.file ?? '', event.name, `${failureText(event.details.error)}\n${words}`.trimEnd())
  })
  stream.on('test:summary', ({ file, duration_ms }) => {
    if (file !== undefined) durations.push({ file: relative('.', file), ms: duration_ms })
  })
  stream.on('test:stderr', (event) => {
    const file = resolve(event.file)
    lastWords.set(file, `${lastWords.get(file) ?? ''}${event.message}`.slice(-LAST_WORDS))
    if (process.env['TEST_OUTPUT'] === 'all') process.stderr.write(event.message)
  })
  const open = new Set<string>()
  stream.on('test:dequeue', ({ name }) => isFileEntry(name, files) && open.add(name))
  stream.on('test:complete', ({ name }) => open.delete(name))
  const watch = () => setTimeout(() => stalled(open, total), fileMs + PATIENCE_MS)
  let timer = watch()
  for await (const event of stream) {
    void event
    clearTimeout(timer)
    timer = watch()
  }
  clearTimeout(timer)
}

/** Nothing is heard of any file any more: the gate ends here, rather than when its own time is over. */
function stalled(open: ReadonlySet<string>, total: Tally): never {
  for (const file of open) print(`FAILED ${file}: nothing was heard of it for too long`)
  print(`${total.passed} passed, ${total.failed + Math.max(1, open.size)} failed, ${total.skipped} skipped`)
  process.exit(1)
}

function isFileEntry(name: string, files: readonly string[]): boolean {
  return files.some((file) => name === file || name.endsWith(`/${file}`))
}

function failureText(error: Error): string {
  const cause = error.cause
  return cause instanceof Error ? (cause.stack ?? cause.message) : error.message
}

function indent(text: string): string {
  return text
    .split('\n')
    .slice(0, 60)
    .map((line) => `    ${line}`)
    .join('\n')
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

process.exitCode = await main(process.argv.slice(2))
// Everything has been reported; a handle that a failed test left open must not keep the gate waiting.
process.exit()
