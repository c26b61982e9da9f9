import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { appendFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { needs } from '../../../tools/testing/needs.ts'
import { eventually } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'
import { packageRoot } from '../version.ts'

const has = (name: string, file: string) => existsSync(join(packageRoot, 'samples', name, file))
/** A folder with a package brings a mapper of its own. */
const samples = readdirSync(join(packageRoot, 'samples')).filter(
  (name) => has(name, 'device.yaml') && !has(name, 'package.json'),
)

describe('the manifests of samples/, applied as they stand', {
  skip: needs('kubectl'),
}, () => {
  let directory: string
  let up: RunningUp

  before(async () => {
    directory = temporaryDirectory()
    up = await startUp(directory, '--no-samples')
  })

  after(() => up?.stop())

  for (const name of samples) {
    it(`${name} is taken by the API without a warning, and accepted by the mapper of its protocol`, async () => {
      const folder = join(packageRoot, 'samples', name)
      const files = ['-f', join(folder, 'model.yaml'), '-f', join(folder, 'device.yaml')]
      const applied = await up.kubectl('apply', '--validate=strict', ...files, '-o', 'name')
      assert.equal(applied.code, 0, applied.stderr)
      assert.equal(applied.stderr, '')
      const [device = ''] = applied.stdout.split('\n').filter((line) => line.startsWith('device.'))
      const waited = await up.kubectl('wait', '--for=condition=Accepted', device, '--timeout=30s')
      assert.equal(waited.code, 0, waited.stderr + (await up.kubectl('describe', device)).stdout)
    })
  }

  it('mapper-acme-co2 is a package that an edge finds by its name, and drives its sensor', async (t) => {
    const name = 'mapper-acme-co2'
    const sample = join(packageRoot, 'samples', name)
    const installed = join(directory, 'edge', 'mappers', 'node_modules', name)
    await mkdir(installed, { recursive: true })
    const { files } = JSON.parse(await readFile(join(sample, 'package.json'), 'utf8'))
    for (const file of ['package.json', ...files]) await cp(join(sample, file), join(installed, file))
    const { startSensor } = await import(pathToFileURL(join(sample, 'sensor.js')).href)
    const sensor = await startSensor()
    t.after(() => sensor[Symbol.asyncDispose]())
    await appendFile(join(directory, 'edge', 'config.yaml'), `mappers:\n  use: [${name}]\n`)
    for (const command of ['stop', 'start']) assert.equal((await up.skerry(command, 'edge')).code, 0)
    // The edge does not wait for it.
    await eventually('the mapper is loaded', async () => {
      const { stdout } = await up.skerry('mapper', 'list')
      return /^acme-co2 +1 +idle .* package mapper-acme-co2@0\.1\.0/m.test(stdout) ? true : undefined
    })

    const device = join(installed, 'device.yaml')
    await writeFile(device, (await readFile(device, 'utf8')).replace('http://127.0.0.1:8100', sensor.url))
    const applied = await up.kubectl('apply', '-f', join(installed, 'model.yaml'), '-f', device)
    assert.equal(applied.code, 0, applied.stderr)
    const order = [{ op: 'add', path: '/spec/properties/2/desired', value: { value: '1100' } }]
    const patched = await up.kubectl('patch', 'device', 'acme-co2-1', '--type=json', '-p', JSON.stringify(order))
    assert.equal(patched.code, 0, patched.stderr)
    for (const condition of ['Online', 'Synced']) {
      const waited = await up.kubectl('wait', `--for=condition=${condition}`, 'device/acme-co2-1', '--timeout=20s')
      assert.equal(waited.code, 0, waited.stderr + (await up.kubectl('describe', 'device/acme-co2-1')).stdout)
    }
    const shown = await up.kubectl('get', 'device', 'acme-co2-1', '-o', 'json')
    const twins: { propertyName: string; reported: { value: string } }[] = JSON.parse(shown.stdout).status.twins
    const reported = Object.fromEntries(twins.map((twin) => [twin.propertyName, twin.reported.value]))
    assert.deepEqual(reported, { co2: '601', temperature: '21.5', limit: '1100' })
  })
})
