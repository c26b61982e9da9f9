import assert from 'node:assert/strict'
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { ms, systemClock } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { LogChain } from './log-chain.ts'
import { LogFolder } from './log-folder.ts'
import { type LogRequest, readLog } from './read-log.ts'

const WHOLE: LogRequest = { follow: false, timestamps: false }
const START = Date.parse('2026-01-31T12:00:00Z')
const stamp = (second: number) => `.20260131-1200${String(second).padStart(2, '0')}`
const timeAt = (milliseconds: number) => new Date(START + milliseconds).toISOString().replace('Z', '000001Z')

/** What a container wrote: one line of a stream, in the parts in which its runtime keeps it. */
interface Written {
  readonly stream: 'stdout' | 'stderr'
  readonly parts: readonly string[]
}

const written: fc.Arbitrary<Written> = fc.record({
  stream: fc.constantFrom('stdout', 'stderr'),
  parts: fc.array(
    fc.oneof(
      fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[\n\r]/g, ' ')),
      fc.integer({ min: 1, max: 200_000 }).map((length) => 'x'.repeat(length)),
    ),
    { minLength: 1, maxLength: 3 },
  ),
})

function inCri({ stream, parts }: Written, index: number): string {
  const tagged = parts.map((part, at) => `${timeAt(index)} ${stream} ${at === parts.length - 1 ? 'F' : 'P'} ${part}\n`)
  return tagged.join('')
}

/** The same as Docker keeps it, which writes nothing of an empty part. */
function inJson({ stream, parts }: Written, index: number): string {
  const logs = parts.map((part, at) => (at === parts.length - 1 ? `${part}\n` : part)).filter((log) => log !== '')
  return logs.map((log) => `${JSON.stringify({ log, stream, time: timeAt(index) })}\n`).join('')
}

async function folderOf(): Promise<{ readonly path: string; readonly root: string }> {
  const root = await temporaryFolder()
  const path = join(root, 'pod', 'app')
  await mkdir(path, { recursive: true })
  return { root, path }
}

async function read(root: string, request: Partial<LogRequest>): Promise<string> {
  await using folder = await LogFolder.open(root, ['pod', 'app'])
  assert.ok(folder)
  const source = { folder, name: '0.log', isRunning: () => false, clock: systemClock }
  const pieces: Buffer[] = []
  for await (const piece of readLog(source, { ...WHOLE, ...request }, new AbortController().signal)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

test('of any log, over all its files, exactly what is wanted of it is read', { timeout: 120_000 }, async () => {
  const options = fc.record({
    tailLines: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
    stream: fc.option(fc.constantFrom('stdout' as const, 'stderr' as const), { nil: undefined }),
    sinceIndex: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
    limitBytes: fc.option(fc.integer({ min: 1, max: 300_000 }), { nil: undefined }),
    timestamps: fc.boolean(),
    follow: fc.boolean(),
  })
  /** How many lines are in each file, and whether it is compressed. */
  const files = fc.array(fc.tuple(fc.array(written, { maxLength: 6 }), fc.boolean()), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(
      files,
      options,
      async (chosen, { tailLines, stream, sinceIndex, limitBytes, timestamps, follow }) => {
        const { root, path } = await folderOf()
        let index = 0
        const lines: { readonly line: Written; readonly index: number }[] = []
        for (const [at, [group, isCompressed]] of chosen.entries()) {
          const own = group.map((line) => ({ line, index: index++ }))
          lines.push(...own)
          const text = own.map(({ line, index: of }) => inCri(line, of)).join('')
          const isLast = at === chosen.length - 1
          const name = isLast ? '0.log' : `0.log${stamp(at)}${isCompressed ? '.gz' : ''}`
          await writeFile(join(path, name), !isLast && isCompressed ? gzipSync(text) : text)
        }
        const expected = (tailLines === undefined ? lines : tailLines === 0 ? [] : lines.slice(-tailLines))
          .filter(({ line }) => stream === undefined || line.stream === stream)
          .filter((each) => sinceIndex === undefined || each.index >= sinceIndex)
          .map(({ line, index: of }) => `${timestamps ? `${timeAt(of)} ` : ''}${line.parts.join('')}\n`)
          .join('')
        const got = await read(root, {
          ...{ timestamps, follow },
          ...(tailLines === undefined ? {} : { tailLines }),
          ...(stream === undefined ? {} : { stream }),
          ...(sinceIndex === undefined ? {} : { since: START + sinceIndex }),
          ...(limitBytes === undefined ? {} : { limitBytes }),
        })
        await rm(root, { recursive: true })
        const wanted = Buffer.from(expected).subarray(0, limitBytes).toString()
        assert.ok(got === wanted, `${got.length} bytes instead of ${wanted.length}: ${got.slice(0, 200)}`)
      },
    ),
    { numRuns: 150 },
  )
})

test('parts of one line are put together, also where the other stream was written to between them', async () => {
  const { root, path } = await folderOf()
  const lines = [
    `${timeAt(0)} stdout P one `,
    `${timeAt(1)} stderr F oops`,
    `${timeAt(2)} stderr P half an`,
    `${timeAt(3)} stdout F line`,
    `${timeAt(4)} stdout F another`,
    `${timeAt(5)} stderr F  error`,
  ]
  await writeFile(join(path, '0.log'), `${lines.join('\n')}\n`)
  assert.equal(await read(root, {}), 'one line\noops\nhalf an error\nanother\n')
  assert.equal(await read(root, { stream: 'stderr' }), 'oops\nhalf an error\n')
})

test('what is no line of a runtime is passed over, and what a crash cut off ends its line', async () => {
  const { root, path } = await folderOf()
  await writeFile(join(path, `0.log${stamp(1)}`), `garbage\n\n${timeAt(0)} stdout F whole\n${timeAt(1)} stdout F cut o`)
  await writeFile(join(path, '0.log'), `${'y'.repeat(300_000)}\n${timeAt(2)} stdout F after\n${timeAt(3)} stdo`)
  assert.equal(await read(root, {}), 'whole\ncut o\nafter\n')
})

test('links are not followed, wherever they lie', async () => {
  const { root, path } = await folderOf()
  await writeFile(join(root, 'secret'), `${timeAt(0)} stdout F secret\n`)
  await symlink(join(root, 'secret'), join(path, '0.log'))
  await assert.rejects(read(root, {}), { code: 'EDGED_LOG_NOT_A_FILE' })
  await rm(path, { recursive: true })
  await mkdir(join(root, 'elsewhere'))
  await writeFile(join(root, 'elsewhere', '0.log'), `${timeAt(0)} stdout F secret\n`)
  await symlink(join(root, 'elsewhere'), path)
  assert.equal(await LogFolder.open(root, ['pod', 'app']), undefined)
})

/** A log that is followed, and what came of it so far. */
async function following(request: Partial<LogRequest> = {}) {
  const { root, path } = await folderOf()
  const clock = new FakeClock()
  const folder = await LogFolder.open(root, ['pod', 'app'])
  assert.ok(folder)
  const state = { isRunning: true, text: '', isOver: false }
  const stop = new AbortController()
  const source = { folder, name: '0.log', isRunning: () => state.isRunning, clock }
  const over = (async () => {
    for await (const piece of readLog(source, { ...WHOLE, follow: true, ...request }, stop.signal)) state.text += piece
    await folder[Symbol.asyncDispose]()
    state.isOver = true
  })()
  let index = 0
  return {
    ...{ state, stop, over, path, file: join(path, '0.log') },
    say: (text: string, name = '0.log') => appendFile(join(path, name), `${timeAt(index++)} stdout F ${text}\n`),
    /** Looks come one after another until it holds. */
    async until(holds: () => boolean) {
      for (let looks = 0; !holds(); looks++) {
        assert.ok(looks < 2000, `never: ${holds}, ${state.text}`)
        await clock.advance(ms(500))
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

test('a follower gets what is written, over rotations between and within its looks, and ends with the container', async () => {
  const { state, say, until, file, over } = await following()
  await say('a')
  await until(() => state.text === 'a\n')
  await rename(file, `${file}${stamp(1)}`)
  // The runtime still writes to it, until it is told.
  await say('b', `0.log${stamp(1)}`)
  await until(() => state.text === 'a\nb\n')
  await say('c')
  await until(() => state.text === 'a\nb\nc\n')
  await say('d')
  await rename(file, `${file}${stamp(2)}`)
  await say('e')
  await rename(file, `${file}${stamp(3)}`)
  await say('f')
  await until(() => state.text === 'a\nb\nc\nd\ne\nf\n')
  assert.equal(state.isOver, false)
  await say('last words')
  state.isRunning = false
  await until(() => state.isOver)
  await over
  assert.equal(state.text, 'a\nb\nc\nd\ne\nf\nlast words\n')
})

test('what is rotated between the look for the next file and its opening is not passed over', async () => {
  const { root, path } = await folderOf()
  const file = join(path, '0.log')
  await using folder = await LogFolder.open(root, ['pod', 'app'])
  assert.ok(folder)
  const chain = new LogChain(folder, '0.log')
  await writeFile(file, 'first')
  await using first = await chain.begin({})
  assert.ok(first)
  await rename(file, `${file}${stamp(1)}`)
  await writeFile(file, 'second')
  const next = await chain.after(first)
  await rename(file, `${file}${stamp(2)}`)
  await writeFile(file, 'third')
  assert.ok(next)
  await using second = await chain.open(next)
  assert.equal(await second?.file.plain?.readFile('utf8'), 'second')
  const last = second && (await chain.after(second))
  assert.ok(last)
  await using third = await chain.open(last)
  assert.equal(await third?.file.plain?.readFile('utf8'), 'third')
})

test('a follower waits for a log that is not there yet, and leaves when it is told to', async () => {
  const { state, say, until, stop, over } = await following({ tailLines: 5 })
  await say('a')
  await until(() => state.text === 'a\n')
  stop.abort()
  await until(() => state.isOver)
  await over
})

test('a line that is being written is passed on as far as it is there', async () => {
  const { state, file, until, stop } = await following()
  await appendFile(file, `${timeAt(0)} stdou`)
  await until(() => true)
  await appendFile(file, 't F hel')
  await until(() => state.text === 'hel')
  await appendFile(file, 'lo\n')
  await until(() => state.text === 'hello\n')
  stop.abort()
  await until(() => state.isOver)
})

test('a log larger than memory would take is read in pieces, at the pace of its reader', {
  timeout: 60_000,
}, async () => {
  const { root, path } = await folderOf()
  const line = `${timeAt(0)} stdout F ${'z'.repeat(10 * 1024 * 1024)}\n`
  for (let index = 0; index < 8; index++) await appendFile(join(path, '0.log'), line)
  await appendFile(join(path, '0.log'), `${timeAt(1)} stdout F end\n`)
  await using folder = await LogFolder.open(root, ['pod', 'app'])
  assert.ok(folder)
  const source = { folder, name: '0.log', isRunning: () => false, clock: systemClock }
  const before = process.memoryUsage().rss
  let most = 0
  let bytes = 0
  for await (const piece of readLog(source, WHOLE, new AbortController().signal)) {
    most = Math.max(most, piece.length)
    bytes += piece.length
  }
  assert.equal(bytes, 8 * (10 * 1024 * 1024 + 1) + 4)
  assert.ok(most <= 128 * 1024, `${most}`)
  assert.ok(process.memoryUsage().rss - before < 60 * 1024 * 1024)
  assert.equal(await read(root, { tailLines: 1 }), 'end\n')
})

test('a log of Docker is read as one of CRI that says the same', async () => {
  const options = fc.record({
    stream: fc.option(fc.constantFrom('stdout' as const, 'stderr' as const), { nil: undefined }),
    sinceIndex: fc.option(fc.nat({ max: 8 }), { nil: undefined }),
    limitBytes: fc.option(fc.integer({ min: 1, max: 300_000 }), { nil: undefined }),
    timestamps: fc.boolean(),
    follow: fc.boolean(),
  })
  const lines = fc.array(
    fc.record({
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
      parts: fc.array(
        fc.oneof(
          fc.string({ maxLength: 20, unit: 'grapheme' }).map((text) => text.replaceAll(/[\n\r]/g, ' ')),
          fc.integer({ min: 1, max: 16_384 }).map((length) => 'x'.repeat(length)),
        ),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { maxLength: 8 },
  )
  await fc.assert(
    fc.asyncProperty(lines, options, async (chosen, { stream, sinceIndex, limitBytes, timestamps, follow }) => {
      const request = {
        ...{ timestamps, follow },
        ...(stream === undefined ? {} : { stream }),
        ...(limitBytes === undefined ? {} : { limitBytes }),
        ...(sinceIndex === undefined ? {} : { since: START + sinceIndex }),
      }
      const [first, second] = await Promise.all(
        [inCri, inJson].map(async (written) => {
          const { root, path } = await folderOf()
          await writeFile(join(path, '0.log'), chosen.map(written).join(''))
          return await read(root, request)
        }),
      )
      assert.equal(second, first)
    }),
    { numRuns: 50 },
  )
})

test('the last lines of a log of Docker are those of its file, and what is cut off, damaged or too long is passed over', async () => {
  const { root, path } = await folderOf()
  const line = (log: string, more = {}) => `${JSON.stringify({ log, stream: 'stdout', ...more, time: timeAt(0) })}\n`
  const lines = [
    line('one\n', { attrs: { tag: 'a' } }),
    '{"log":"damaged\n',
    '{"log":"no stream\\n","time":"2026-01-31T12:00:00Z"}\n',
    line(`${'x'.repeat(300_000)}\n`),
    line('two\n'),
    line('\n'),
    line('three').trimEnd(),
  ]
  await writeFile(join(path, '0.log'), lines.join(''))
  assert.equal(await read(root, {}), 'one\ntwo\n\nthree')
  assert.equal(await read(root, { tailLines: 3 }), 'two\n\nthree')
  await appendFile(join(path, '0.log'), '\n{"log":"cut o')
  assert.equal(await read(root, { timestamps: true, tailLines: 2 }), '2026-01-31T12:00:00.000000001Z three')
})

test('a link to what Docker keeps of the very container is followed, and no other', async () => {
  const { root, path } = await folderOf()
  const [own, other] = ['a'.repeat(64), 'b'.repeat(64)]
  const kept = async (id: string) => {
    const folder = join(root, 'docker', id)
    await mkdir(folder, { recursive: true })
    const file = join(folder, `${id}-json.log`)
    await writeFile(file, `${JSON.stringify({ log: 'kept\n', stream: 'stderr', time: timeAt(0) })}\n`)
    return file
  }
  const files = [await kept(own), await kept(other), join(root, 'secret'), join(root, 'docker', `${own}-json.log`)]
  for (const [index, target] of files.entries()) await symlink(target, join(path, `${index}.log`))
  await writeFile(join(root, 'secret'), `${timeAt(0)} stdout F secret\n`)
  await using folder = await LogFolder.open(root, ['pod', 'app'], own)
  await using first = await folder?.file('0.log')
  assert.match(String(await first?.plain?.readFile()), /kept/)
  for (const name of ['1.log', '2.log', '3.log'])
    await assert.rejects(async () => await folder?.file(name), { code: 'EDGED_LOG_NOT_A_FILE' })
  await rm(files[0] ?? '')
  await symlink(join(root, 'secret'), files[0] ?? '')
  await assert.rejects(async () => await folder?.file('0.log'), { code: 'EDGED_LOG_NOT_A_FILE' })
})
