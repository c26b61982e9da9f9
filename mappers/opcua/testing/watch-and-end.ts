import { ms, systemClock } from '../../../platform/time/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import opcua from '../index.ts'
import { configOf, Reports, visitOf } from './client.ts'

/**
 * A process that watches one node (first argument: url; second: node), says so, gives everything back when it is told to, and then
 * does nothing more: if it does not end by itself, something was left open.
 */
const [url = '', nodeId = ''] = process.argv.slice(2)
const folder = temporaryFolder('skerry-opcua-')
const config = { url, securityMode: 'None' }
const connection = await opcua.connect(configOf(config), {
  clock: {
    now: () => systemClock.now(),
    sleep: (milliseconds, until) => systemClock.sleep(ms(milliseconds), until),
  },
  log: { debug: () => undefined, warn: () => undefined },
  signal: new AbortController().signal,
  folder,
})
const stop = new AbortController()
const reports = new Reports()
const watching = connection.watch([visitOf(config, { nodeId })], reports.report, stop.signal)
await reports.value(1)
process.once('message', async () => {
  stop.abort(new Error('over'))
  await watching
  await connection[Symbol.asyncDispose]()
  process.disconnect()
})
process.send?.('watching')
