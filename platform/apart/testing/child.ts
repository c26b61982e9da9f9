import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
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
  if (what === 'babble') writeSync(3, Buffer.from([0, 0, 0, 4, 1, 2, 3, 4]))
  if (what === 'threaten') writeSync(3, Buffer.from([0xff, 0xff, 0xff, 0xff]))
  if (what === 'breed') {
    const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'])
    parent.line('pid').postMessage(grandchild.pid)
    if (grandchild.pid !== undefined) parent.line('pid').on('message', () => process.kill(process.pid, 'SIGKILL'))
  }
})
parent.line('echo').on('message', (message) => parent.line('echo').postMessage(message))
setInterval(() => undefined, 1000)
