import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger as log } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import { metaStoreDomain } from '../meta/meta-store.ts'
import { memoryStore } from '../testing/memory-store.ts'
import { ConfirmedMarks } from './confirmed-marks.ts'

test('what was on its way to the disk when all is forgotten is not there afterwards', async () => {
  const disk = memoryStore([metaStoreDomain])
  const gates: PromiseWithResolvers<void>[] = []
  const slow: Store = {
    ...disk,
    async write(calls) {
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      await gate.promise
      await disk.write(calls)
    },
  }
  const marks = new ConfirmedMarks(slow, log)
  await marks.open()
  marks.confirm('default/a', { twin: 'a:1:skerry' })
  marks.confirm('default/b', { twin: 'b:1:skerry' })
  const unmarked = slow.write([{ statement: 'meta.unmarkAll', parameters: [] }])
  for (let at = 0; at < gates.length; at++) {
    gates[at]?.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    if (at !== 1) continue
    await unmarked
    marks.forgetAll()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await marks.flushed()
  const after = new ConfirmedMarks(disk, log)
  await after.open()
  assert.deepEqual(after.devices, [])
})
