import { answer } from './answer.ts'
import { connectParent } from './parent.ts'
import type { ApartCall } from './run-apart.ts'

function callOf(message: unknown): ApartCall
function callOf(message: unknown): unknown {
  return message
}

/** The process of `runForeign`: one call, one answer. */
const parent = connectParent()
parent.line('call').on('message', async (message) => {
  parent.line('answer').postMessage(await answer(callOf(message)))
  parent.end()
})
