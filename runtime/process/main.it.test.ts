import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { collect, run } from './testing/run.ts'
import { launcher } from './testing/up.ts'

const skerry = (...args: readonly string[]) => run(process.execPath, [launcher, ...args])

describe('the command line', { concurrency: 2 }, () => {
  const empty = temporaryFolder('skerry-cli-')

  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['statu'], /unknown command 'statu' \(Did you mean status\?\); see skerry --help$/],
    [['up', '--ports', 'some'], /'some' is invalid.*auto, default; see skerry up --help$/],
    [['join'], /--token TOKEN, or --token-file FILE/],
    [['token', 'create', '--ttl'], /argument missing; see skerry token create --help$/],
    [['token', 'create', '--node', 'Not a node'], /"Not a node" is not a node name: use/],
    [['stop'], /missing required argument 'part'; see skerry stop --help$/],
    [['simulate', 'telepathy'], /nothing simulates "telepathy"; there is: modbus(, [a-z-]+)*$/],
    [['simulate', 'modbus', '--port', 'x'], /"x" is not a port: give a number from 0 to 65535$/],
    [['simulate', 'modbus', '--fault', 'sleep'], /"sleep" is no fault: write silence, garbage SHARE/],
    [['simulate', 'modbus', '--faults', '/nowhere.yaml'], /\/nowhere\.yaml cannot be read: /],
    [['simulate', 'modbus', '--faults', 'samples/pump/model.yaml'], /model\.yaml: \/steps: must be a list of 1 to/],
    [['simulate', 'modbus', '--model', '/nowhere.yaml'], /\/nowhere\.yaml cannot be read: /],
    [
      ['simulate', 'modbus', '--model', 'package.json'],
      /package\.json: \/kind: is neither a DeviceModel nor a Device$/,
    ],
    [
      ['simulate', 'modbus', '--device', 'samples/pump/device.yaml'],
      /DeviceModel pump of pump-1 is missing: add its file with --model /,
    ],
    [['config', 'schema', 'weather'], /name up, cloud or edge$/],
    [['up', '--config', '/nowhere/up.yaml'], /\/nowhere\/up\.yaml does not exist/],
  ]
  for (const [args, says] of wrong) {
    it(`refuses "${args.join(' ')}" in one line that says what to do`, async () => {
      const ran = await skerry(...args)
      assert.equal(ran.code, 1)
      assert.equal(ran.stdout, '')
      assert.match(ran.stderr.trimEnd(), /^skerry: [^\n]*$/)
      assert.match(ran.stderr.trimEnd(), says)
    })
  }

  it('says that nothing runs in a directory, whatever it is asked', async () => {
    for (const args of [['status'], ['token', 'create'], ['stop', 'pump']]) {
      const ran = await skerry(...args, '--data', empty)
      assert.equal(ran.code, 1)
      assert.equal(
        ran.stderr,
        `skerry: nothing runs in ${empty}: start it with skerry up, cloud or edge, or name another --data\n`,
        args.join(' '),
      )
    }
  })

  for (const command of ['up', 'cloud', 'edge']) {
    it(`${command} reads the configuration in its data directory`, async () => {
      const data = join(empty, `of-${command}`)
      await mkdir(data)
      await writeFile(join(data, 'config.yaml'), 'lgo: {level: warn}\n')
      const ran = await skerry(command, '--data', data)
      assert.equal(ran.code, 1)
      assert.match(ran.stderr, /config\.yaml:1: lgo is not a known key; did you mean log\?/)
    })
  }

  it('refuses a data directory that it cannot write in', {
    skip: process.platform !== 'linux' && 'needs a folder where nobody may write',
  }, async () => {
    const ran = await skerry('up', '--data', '/sys/skerry', '--ports', 'auto')
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, /cannot be written: name another one with --data\n$/)
  })

  it('names a taken port of a simulator', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const ran = await skerry('simulate', 'modbus', '--port', String(port))
    other.close()
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, new RegExp(`^skerry: Port ${port} on 127\\.0\\.0\\.1 is taken`))
  })

  it('goes quietly when its reader has seen enough', async () => {
    const child = spawn(process.execPath, [launcher, 'crds'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const output = collect(child)
    child.stdout.destroy()
    const [code] = await once(child, 'close')
    assert.equal(output.stderr(), '')
    assert.equal(code, 0)
  })
})

describe('the launcher on a Node.js that is too old', () => {
  const old = (version: string, ...args: readonly string[]) =>
    run(process.execPath, [
      '--import',
      `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`,
      ...args,
    ])

  // 22 runs the compiled package, but not the sources of a checkout.
  for (const version of ['20.0.0', '22.18.0']) {
    it(`runs itself with the Node.js that came along, instead of ${version}`, async () => {
      const ran = await old(version, launcher, 'version', '-o', 'json')
      assert.equal(ran.code, 0, ran.stderr)
      const shown: unknown = JSON.parse(ran.stdout)
      const used = typeof shown === 'object' && shown !== null && 'node' in shown ? String(shown.node) : ''
      assert.match(used, /^24\./)
    })
  }

  it('explains itself where none came along', async () => {
    const alone = temporaryFolder('skerry-launcher-')
    await mkdir(join(alone, 'bin'))
    await copyFile(launcher, join(alone, 'bin', 'skerry.mjs'))
    const ran = await old('20.0.0', join(alone, 'bin', 'skerry.mjs'), 'version')
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, /needs Node\.js 22\.15 or newer; this is 20\.0\.0.*Install Node\.js 24/s)
  })
})
