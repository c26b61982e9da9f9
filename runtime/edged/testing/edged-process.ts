import type { JsonObject } from '../../../schemas/index.ts'
import { EdgedBench } from './edged-bench.ts'
import { isOrder, type Order } from './killable-edged.ts'

// Edged as a process that a test can kill, with the test in the part of the cloud over IPC. It does not outlive the test.
const [runtime = '', directory = ''] = process.argv.slice(2)
const bench = new EdgedBench({ runtime, directory })
const settings: JsonObject = { data: { greeting: 'hello' } }
bench.objects.set('shop/configmap/settings', settings)

async function obey(order: Order): Promise<void> {
  if ('assign' in order) return bench.assign(order.assign)
  if ('unassign' in order) return bench.unassign(order.unassign)
  if (order.to === 'start') await bench.start()
  else await bench.stop()
  process.send?.(order.to)
}

process.on('message', (said: unknown) => {
  if (isOrder(said)) void obey(said)
})
process.once('disconnect', () => process.exit())
