import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { collect, eventually, run } from '../testing/run.ts'
import { temporaryDirectory } from '../testing/up.ts'
import { callKubernetes, isRecord, parseKubeAccess } from '../up/kubernetes-apply.ts'
import { packageRoot } from '../version.ts'

/** What `npm pack` reads. */
const SOURCES = ['package.json', 'README.md', 'LICENSE', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.types.json']
const FOLDERS = ['bin', 'samples', 'schemas', 'platform', 'twin', 'mappers', 'hub', 'runtime']
const PUMP = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices/pump-1'

const MAPPER = `import { configSchema, defineMapper, noConnection, readEach, Type } from 'skerry/mapper'

const deviceConfig = configSchema(Type.Object({ port: Type.Integer({ default: 7 }) }))

export default defineMapper({
  contract: 1,
  protocol: 'theirs',
  deviceConfig,
  visitorConfig: configSchema(Type.Object({ at: Type.Integer() })),
  connectionKey: ({ port }) => String(port),
  connect: noConnection,
  read: (_connection, visits, signal) => readEach(visits, signal, ({ visitor }) => visitor.at),
})
process.stdout.write(JSON.stringify(deviceConfig.parse({})) + String.fromCharCode(10))
export const wrong: string = 3
`

describe('the package', { skip: needs('npm', 'tar') }, () => {
  let folder: string
  let installed: string
  let files: readonly string[]

  before(async () => {
    folder = temporaryDirectory()
    const source = join(folder, 'source')
    installed = join(folder, 'package')
    await mkdir(source)
    for (const each of [...SOURCES, ...FOLDERS])
      await cp(join(packageRoot, each), join(source, each), { recursive: true })
    await symlink(join(packageRoot, 'node_modules'), join(source, 'node_modules'))
    const pack = ['pack', source, '--pack-destination', folder, '--silent', '--offline']
    const packed = await run('npm', pack, { timeoutMs: 240_000, env: { npm_config_cache: join(folder, 'cache') } })
    assert.equal(packed.code, 0, packed.stderr)
    const tarball = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '')
    const unpacked = await run('tar', ['-xvzf', tarball, '-C', folder])
    assert.equal(unpacked.code, 0, unpacked.stderr)
    files = unpacked.stdout.trim().split('\n')
    await symlink(join(packageRoot, 'node_modules'), join(installed, 'node_modules'))
  })

  it('holds the compiled product, the launcher and the samples, and nothing else', () => {
    const others = files.filter(
      (file) =>
        !/^package\/(dist\/.*\.(js|d\.ts)|bin\/(skerry|mapper|mapper-line|mapper-testing)\.mjs|samples\/.*(\.(yaml|md|js|json)|\/Dockerfile))$/.test(
          file,
        ),
    )
    assert.deepEqual(others.sort(), ['package/LICENSE', 'package/README.md', 'package/package.json'])
    assert.deepEqual(
      files.filter((file) => /\.test\.|\/(bench|tools)\//.test(file) && !file.startsWith('package/samples/')),
      [],
    )
  })

  it('gives the author of a mapper skerry/mapper with its types', async () => {
    const project = join(folder, 'mapper')
    await mkdir(join(project, 'node_modules'), { recursive: true })
    await symlink(installed, join(project, 'node_modules', 'skerry'))
    await writeFile(join(project, 'package.json'), '{"type":"module"}')
    await writeFile(join(project, 'mapper.ts'), MAPPER)
    const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc')
    const typeRoots = [join(packageRoot, 'node_modules', '@types')]
    const checks = { noEmit: true, strict: true, module: 'nodenext', target: 'es2024', lib: ['esnext'] }
    const compilerOptions = { ...checks, typeRoots, types: ['node'] }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    const compiled = await run(process.execPath, [compiler, '-p', project], { timeoutMs: 110_000 })
    assert.match(compiled.stdout, /mapper\.ts\(15,14\): error TS2322: Type 'number' is not assignable to type 'string'/)
    assert.equal(compiled.stdout.trim().split('\n').length, 1, compiled.stdout)
    const ran = await run(process.execPath, [join(project, 'mapper.ts')])
    assert.equal(ran.code, 0, ran.stderr)
    assert.equal(ran.stdout, '{"ok":true,"value":{"port":7}}\n')
  })

  it('makes mappers, and holds them to the contract', async () => {
    const skerry = (...args: readonly string[]) =>
      run(process.execPath, [join(installed, 'bin', 'skerry.mjs'), 'mapper', ...args], {
        cwd: folder,
        timeoutMs: 60_000,
      })
    assert.equal((await skerry('new', 'barn')).code, 0)
    const tested = await skerry('test', 'barn')
    assert.equal(tested.code, 0, tested.stdout + tested.stderr)
    assert.match(tested.stdout, /mapper barn keeps the contract: 29 passed, 0 failed/)
    const own = await run(process.execPath, ['--test'], { cwd: join(folder, 'barn'), timeoutMs: 60_000 })
    assert.equal(own.code, 0, own.stdout)
  })

  it('runs: workers and samples are found, and it stops cleanly', async () => {
    const launcher = join(installed, 'bin', 'skerry.mjs')
    const data = join(folder, 'data')
    const child = spawn(process.execPath, [launcher, 'up', '--data', data, '--ports', 'auto', '-o', 'json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = collect(child)
    const closed = once(child, 'close')
    try {
      const wait = [launcher, 'status', '--wait', '60s', '--data', data]
      const ran = await run(process.execPath, wait, { timeoutMs: 70_000 })
      assert.equal(ran.code, 0, ran.stdout + ran.stderr)
      // It does not take the parts that are there so far for all.
      assert.match(ran.stdout, /^edge .*ready/m)
      await output.waitFor(/^\{"ready":true.*$/m, 10_000)
      const access = parseKubeAccess(await readFile(join(data, 'kubeconfig'), 'utf8'))
      await eventually('the mapper reads the pump', async () => {
        const { body } = await callKubernetes(access, 'GET', PUMP)
        return isRecord(body) && isRecord(body['status']) && body['status']['state'] === 'online' ? true : undefined
      })
    } finally {
      child.kill('SIGTERM')
      await closed
    }
    assert.equal(child.exitCode, 0, output.stderr())
    await assert.rejects(readFile(join(data, 'endpoints.json')), { code: 'ENOENT' })
  })
})
