import assert from 'node:assert/strict'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { run } from '../testing/run.ts'
import { launcher, temporaryDirectory } from '../testing/up.ts'
import { packageRoot } from '../version.ts'

const skerry = (cwd: string, ...args: readonly string[]) =>
  run(process.execPath, [launcher, 'mapper', ...args], { cwd })
const linesOf = (text: string) => text.split('\n').filter((line) => line.trim() !== '').length

describe('skerry mapper new', () => {
  const folder = temporaryDirectory()

  for (const [language, suffix, options] of [
    ['JavaScript', 'js', []],
    ['TypeScript', 'ts', ['--typescript']],
  ] as const) {
    it(`makes a package in ${language} that passes the suite and its own tests at once, with nothing installed`, async () => {
      const made = await skerry(folder, 'new', `@acme/mapper-${suffix}-barn`, ...options)
      assert.equal(made.code, 0, made.stderr)
      const project = join(folder, `mapper-${suffix}-barn`)
      assert.ok(linesOf(await readFile(join(project, `index.${suffix}`), 'utf8')) <= 30)
      const tested = await skerry(project, 'test')
      assert.equal(tested.code, 0, tested.stdout + tested.stderr)
      assert.match(tested.stdout, new RegExp(`mapper ${suffix}-barn keeps the contract: \\d+ passed, 0 failed`))
      const own = await run(process.execPath, ['--test'], { cwd: project, timeoutMs: 60_000 })
      assert.equal(own.code, 0, own.stdout)
      for (const each of ['package.json', 'README.md', 'model.yaml', 'device.yaml', `conformance.${suffix}`])
        assert.doesNotMatch(await readFile(join(project, each), 'utf8'), /acme-co2|ACME CO2/, each)
    })
  }

  it('makes both so that the compiler has nothing against them', async () => {
    const types = join(packageRoot, 'node_modules', '@types')
    for (const suffix of ['js', 'ts'])
      await symlink(types, join(folder, `mapper-${suffix}-barn`, 'node_modules', '@types'))
    const compilerOptions = {
      noEmit: true,
      allowJs: true,
      checkJs: true,
      allowImportingTsExtensions: true,
      typeRoots: [types],
    }
    const include = ['mapper-js-barn/*.js', 'mapper-ts-barn/*.ts']
    const config = { extends: './mapper-ts-barn/tsconfig.json', compilerOptions, include, exclude: [] }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc')
    const ran = await run(process.execPath, [compiler, '-p', '.'], { cwd: folder, timeoutMs: 110_000 })
    assert.equal(ran.stdout, '')
    assert.equal(ran.code, 0)
  })

  it('has a schema for editors that knows each key, also those of the host', async () => {
    for (const which of ['mapper-js-barn', 'modbus']) {
      const ran = await skerry(folder, 'schema', which)
      assert.equal(ran.code, 0, ran.stderr)
      const { protocol, properties } = JSON.parse(ran.stdout).properties.spec.properties
      const key = which === 'modbus' ? 'host' : 'url'
      assert.match(protocol.anyOf[1].properties.configData.properties[key].description, /\w+ \w+/)
      const visitor = properties.items.properties.visitors.properties.configData
      assert.ok('convert' in visitor.properties)
      assert.deepEqual(visitor.required, [])
    }
    assert.match((await skerry(folder, 'schema', 'nothing')).stderr, /there is no .*nothing/)
  })

  it('overwrites nothing, and says what a name may be', async () => {
    const full = join(folder, 'full')
    await mkdir(full)
    await writeFile(join(full, 'mine.txt'), 'mine')
    const refused = await skerry(folder, 'new', 'barn', '--dir', full)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /not empty.*choose another with --dir/)
    const below = await skerry(folder, 'new', 'barn', '--dir', join(full, 'mine.txt', 'barn'))
    assert.equal(below.code, 1)
    assert.match(below.stderr, /mine\.txt\/barn cannot be written, what should be its folder is a file: name another/)
    assert.equal(await readFile(join(full, 'mine.txt'), 'utf8'), 'mine')
    for (const name of ['Barn', '1barn', '../barn', 'barn/', 'mapper-']) {
      const ran = await skerry(folder, 'new', name)
      assert.equal(ran.code, 1, name)
      assert.match(ran.stderr, /cannot be the name of a mapper: use lower-case/)
    }
    assert.match((await skerry(folder, 'new', 'modbus')).stderr, /Skerry brings a mapper for modbus already/)
  })

  it('is followed by a test that says what a broken mapper did and what to do', async () => {
    const project = join(folder, 'mapper-js-barn')
    const file = join(project, 'index.js')
    const good = await readFile(file, 'utf8')
    await writeFile(
      file,
      good
        .replace('if (!response.ok) throw', 'if (!response.ok) return {}\n  if (!response.ok) throw')
        .replace(/, description: '[^']*room\.'/, ''),
    )
    const tested = await skerry(project, 'test')
    assert.equal(tested.code, 1)
    assert.match(
      tested.stdout,
      /^FAIL describes every key of its configurations\n {7}deviceConfig describes nothing at \/url\n {7}What to do: /m,
    )
    assert.match(tested.stdout, /^FAIL answers a refused write with a failed outcome/m)
    const asJson = await skerry(project, 'test', '-o', 'json')
    assert.ok(JSON.parse(asJson.stdout).failed >= 2)
    await writeFile(file, good)
  })

  it('has a test that ends when the mapper blocks its thread, and says in which check', async () => {
    const project = join(folder, 'mapper-js-barn')
    const file = join(project, 'index.js')
    const good = await readFile(file, 'utf8')
    await writeFile(
      file,
      good.replace(
        'connectionKey: ({ url }) => url',
        'connectionKey: ({ url }) => { for (;;) if (url === "") return url }',
      ),
    )
    const tested = await skerry(project, 'test')
    await writeFile(file, good)
    assert.notEqual(tested.code, 0)
    assert.match(tested.stderr, /^FAIL admits a good device offline\n.*blocked the thread for 10 s.*\n.*What to do:/m)
  })

  it('has a test that tells in one line what it cannot start with', async () => {
    assert.match((await skerry(folder, 'test', 'nowhere')).stderr, /there is no .*nowhere: name the folder of a mapper/)
    assert.match((await skerry(folder, 'test', 'full')).stderr, /has no conformance\.js or \.ts/)
    await writeFile(join(folder, 'wrong.mjs'), 'export default { mapper: {} }')
    assert.match(
      (await skerry(folder, 'test', 'wrong.mjs')).stderr,
      /has no subject: server is no function; end it with/,
    )
    await writeFile(join(folder, 'typo.mjs'), 'export default (')
    assert.match(
      (await skerry(folder, 'test', 'typo.mjs')).stderr,
      /typo\.mjs cannot be loaded: Unexpected .*typo\.mjs:\d/,
    )
  })
})
