import { parentPort } from 'node:worker_threads'
import { criminal } from './criminal.ts'

/** Takes the port of its thread for its own, as a library may that was written for a pool of threads. */
export default criminal(() => {
  for (const message of ['ready', null, { type: 'beat' }, { type: 'log', level: 'loud', message: 'hey', fields: {} }]) {
    parentPort?.postMessage(message)
  }
})
