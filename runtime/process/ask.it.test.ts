import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveControl } from '../../platform/http/index.ts'
import { ms, seconds } from '../../platform/time/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { askProcess } from './ask.ts'

test('no process, one that hangs and one of another kind are three things, and each says what to do', async () => {
  const dir = temporaryFolder('skerry-ask-')
  const silent = Promise.withResolvers<unknown>()
  const ask = (path: string) => askProcess(dir, 'GET', path, path === '/hangs' ? ms(100) : seconds(10))
  await assert.rejects(ask('/status'), {
    code: 'PROCESS_NOT_RUNNING',
    message: /start it with skerry up, cloud or edge/,
  })
  const control = await serveControl({
    dir,
    routes: { 'GET /status': async () => 'up', 'GET /hangs': () => silent.promise },
  })
  assert.equal(await ask('/status'), 'up')
  await assert.rejects(ask('/hangs'), { code: 'PROCESS_SILENT', message: /does not answer: .*lock\.pid/ })
  await assert.rejects(ask('/tokens'), { code: 'PROCESS_OF_ANOTHER_KIND', message: /name its directory with --data/ })
  silent.resolve('late')
  await control[Symbol.asyncDispose]()
})
