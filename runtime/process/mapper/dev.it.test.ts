import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { collect, run } from '../testing/run.ts'
import { launcher, temporaryDirectory } from '../testing/up.ts'

it('skerry mapper dev runs a mapper live: values, writes, a save of the mapper or a manifest, and what is wrong', async (t) => {
  const folder = temporaryDirectory()
  assert.equal((await run(process.execPath, [launcher, 'mapper', 'new', 'barn'], { cwd: folder })).code, 0)
  const project = join(folder, 'barn')
  const { startSensor } = await import(pathToFileURL(join(project, 'sensor.js')).href)
  const sensor = await startSensor()
  t.after(() => sensor[Symbol.asyncDispose]())
  const replace = async (file: string, from: string, to: string) => {
    const text = await readFile(join(project, file), 'utf8')
    assert.ok(text.includes(from), `${file} has ${from}`)
    await writeFile(join(project, file), text.replace(from, to))
  }
  await replace('device.yaml', 'http://127.0.0.1:8100', sensor.url)

  const child = spawn(process.execPath, [launcher, 'mapper', 'dev'], { cwd: project, stdio: 'pipe' })
  t.after(() => child.kill('SIGKILL'))
  const output = collect(child)
  const type = (line: string) => child.stdin.write(`${line}\n`)
  /** Only what comes after this call counts. */
  const next = (pattern: RegExp) => output.waitFor(pattern, 20_000, output.stdout().length)

  await output.waitFor(/barn-1 is online/)
  await output.waitFor(/co2 +601/)
  const written = next(/limit +written and read back: 1234/)
  type('set limit 1234')
  await written
  for (const [line, answer] of [
    ['set co2 5', /co2 is ReadOnly; to be set: limit/],
    ['set limt 5', /there is no property limt; to be set: limit/],
    ['set limit much', /"much" must be an integer/],
    ['set limit 9000', /not written: 9000 must be less than or equal to 5000/],
    ['what', /type: set PROPERTY VALUE, reload, or quit/],
  ] as const) {
    const answered = next(answer)
    type(line)
    await answered
  }

  const reloaded = next(/co2 +1601/)
  await replace('index.js', '=> values[visitor.field])', "=> (visitor.field === 'co2' ? 1601 : values[visitor.field]))")
  await reloaded

  const ignored = next(/warning: \/spec\/properties\/0\/visitors\/configData\/feld is no key .*did you mean field\?/)
  const refused = next(/refused: \/spec\/properties\/0\/visitors\/configData\/field is required \(property co2\)/)
  await replace('model.yaml', 'field: co2', 'feld: co2')
  await Promise.all([ignored, refused])
  const back = next(/barn-1 is online/)
  await replace('model.yaml', 'feld: co2', 'field: co2')
  await back

  const thrown = next(/offline: Cannot read/)
  const placed = next(/The connection is lost .*Cannot read properties of undefined \(reading 'x'\) \(index\.js:\d+\)/)
  await replace('index.js', 'await ask(visits[0].device.url', 'await ask(visits[0].device.ulr.x')
  await Promise.all([thrown, placed])
  const healed = next(/barn-1 is online/)
  await replace('index.js', 'visits[0].device.ulr.x', 'visits[0].device.url')
  await healed

  const ended = next(/the mapper ended: The mapper cannot be loaded: .*\(index\.js:\d+\)\. Correct it and save/)
  await replace('index.js', 'export default', 'export default (')
  await ended
  const again = next(/barn-1 is online/)
  await replace('index.js', 'export default (', 'export default')
  await again

  const foreign = next(/the device is of protocol shed, the mapper of barn/)
  await replace('device.yaml', 'protocolName: barn', 'protocolName: shed')
  await foreign

  const closed = once(child, 'close')
  type('quit')
  await closed
  assert.equal(child.exitCode, 0, output.stderr())
})
