import assert from 'node:assert/strict'
import { access, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { ConfigError, ConflictError, RefusedError, UnavailableError } from '../lifecycle/errors.ts'
import { ms, seconds } from '../time/index.ts'
import { type ControlRoutes, callControl, serveControl } from './index.ts'

const deadline = seconds(5)

for (const [kind, nested] of [
  ['short', ''],
  ['too long for a socket', 'd'.repeat(120)],
] as const) {
  test(`answers commands in a folder whose path is ${kind}, private to its owner, and cleans up`, async () => {
    const dir = await folder(nested)
    const control = await serveControl({ dir, routes: { 'POST /sum': async (body) => ({ got: body }) } })
    const direct = join(dir, 'control.sock')
    const path = nested === '' ? direct : await readFile(join(dir, 'control.path'), 'utf8')
    assert.ok(Buffer.byteLength(path) <= 100)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    if (nested !== '') assert.equal((await stat(dirname(path))).mode & 0o777, 0o700)
    assert.deepEqual(await callControl({ dir, method: 'POST', path: '/sum', body: [1], deadline }), { got: [1] })
    await control[Symbol.asyncDispose]()
    await assert.rejects(access(path))
    await assert.rejects(callControl({ dir, method: 'POST', path: '/sum', deadline }), {
      code: 'PLATFORM_CONTROL_SILENT',
    })
  })
}

test('takes over what a killed process left', async (t) => {
  const dir = await folder()
  await writeFile(join(dir, 'control.sock'), '')
  await start(t, dir, { 'GET /status': async () => 'up' })
  assert.equal(await callControl({ dir, method: 'GET', path: '/status', deadline }), 'up')
})

test('errors come back with their code, in the class that says what to do', async (t) => {
  const dir = await folder()
  const errors = [ConfigError, ConflictError, RefusedError, UnavailableError]
  await start(t, dir, {
    'GET /fail': async () => undefined,
    'POST /fail': async (body) => {
      const Kind = errors[Number(body)]
      throw Kind ? new Kind('Not so', { code: 'X_NOT_SO', fields: { n: body } }) : new Error('boom')
    },
  })
  const call = (body: unknown) => callControl({ dir, method: 'POST', path: '/fail', body, deadline })
  for (const [index, Kind] of errors.entries()) {
    await assert.rejects(call(index), (error) => {
      assert.ok(error instanceof Kind)
      assert.deepEqual([error.code, error.message, error.fields], ['X_NOT_SO', 'Not so', { n: index }])
      return true
    })
  }
  await assert.rejects(call(99), { code: 'PLATFORM_INTERNAL', message: 'boom' })
  await assert.rejects(callControl({ dir, method: 'GET', path: '/toString', deadline }), {
    code: 'PLATFORM_CONTROL_UNKNOWN',
  })
  await assert.rejects(call('x'.repeat(1 << 20)), { code: 'PLATFORM_BODY_TOO_LARGE' })
})

test('a process that does not answer in time is silent', async (t) => {
  const dir = await folder()
  await start(t, dir, { 'GET /status': () => new Promise(() => undefined) })
  await assert.rejects(callControl({ dir, method: 'GET', path: '/status', deadline: ms(100) }), {
    code: 'PLATFORM_CONTROL_SILENT',
  })
})

async function start(t: TestContext, dir: string, routes: ControlRoutes): Promise<void> {
  const control = await serveControl({ dir, routes })
  t.after(() => control[Symbol.asyncDispose]())
}

async function folder(nested = ''): Promise<string> {
  const dir = temporaryFolder('control-')
  await mkdir(join(dir, nested), { recursive: true })
  return join(dir, nested)
}
