import assert from 'node:assert/strict'
import { test } from 'node:test'
import { standAnswers } from '../../../../platform/http/testing/index.ts'
import { seconds } from '../../../../platform/time/index.ts'
import { ForwardClock } from '../../../../platform/time/testing/index.ts'
import { startService } from '../testing/local-service.ts'
import { serve, serviceAt } from '../testing/tunnel-bench.ts'
import { call } from '../testing/tunnel-client.ts'

const MOST_BYTES = 1_000_000

test('hostile answers of local services are told through a tunnel, and others go on', {
  timeout: 120_000,
}, async (t) => {
  const clock = new ForwardClock()
  const good = await startService(t, (_request, response) => void response.end('good'))
  const services = serve(t, [serviceAt(good)], { clock })
  await standAnswers({
    ask: async (port) => {
      const answer = await call(serve(t, [serviceAt(port)], { clock }), `/${port}/`)
      if (answer.status >= 500) throw new Error(String(answer.headers['x-skerry-error']))
    },
    ...{ clock, deadline: seconds(10), mostBytes: MOST_BYTES, hasStreams: true },
    serves: async () => assert.equal((await call(services, `/${good}/`)).body.toString(), 'good'),
  })
})
