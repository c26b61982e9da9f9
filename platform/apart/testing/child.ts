import { connectParent } from '../index.ts'

/** Does what it is told, once. */
const parent = connectParent()
parent.line('do').on('message', (what) => {
  parent.line('pid').postMessage(process.pid)
  // The answer is on its way first.
  if (what === 'loop')
    setTimeout(() => {
      for (;;);
    }, 50)
  if (what === 'throw') throw new TypeError('nobody caught this')
  if (what === 'end') parent.end()
})
parent.line('echo').on('message', (message) => parent.line('echo').postMessage(message))
setInterval(() => undefined, 1000)
