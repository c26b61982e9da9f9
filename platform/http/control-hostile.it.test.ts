import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { minutes } from '../time/index.ts'
import { ForwardClock } from '../time/testing/index.ts'
import { serveControl } from './index.ts'
import { answers, dial, standAttacks, standSlowPeers, type Target } from './testing/index.ts'

test('hostile programs of the owner do not keep the control socket from others', async (t) => {
  const clock = new ForwardClock()
  const dir = temporaryFolder('control-')
  const control = await serveControl({ dir, clock, routes: { 'POST /echo': async (body) => body } })
  t.after(() => control[Symbol.asyncDispose]())
  const connect = () => dial({ path: join(dir, 'control.sock') })
  const request = { method: 'POST', path: '/echo' }
  const target: Target = { connect, request, serves: () => answers({ connect, request }, 200, '{"a":1}') }
  await standAttacks(target)
  await standSlowPeers(target, { clock, body: minutes(1) })
})
