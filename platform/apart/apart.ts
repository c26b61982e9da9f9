import { answer } from './answer.ts'
import type { ApartCall } from './run-apart.ts'

/** The process of `runApart`: one call, one answer. */
process.once('message', async (call: ApartCall) => {
  process.send?.(await answer(call), () => process.disconnect())
})
