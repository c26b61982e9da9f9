import { criminal } from './criminal.ts'

/** Throws where nobody can catch it. */
export default criminal(() => {
  queueMicrotask(() => {
    throw new Error('nobody caught this')
  })
})
