import { criminal } from './criminal.ts'

/** Leaves a rejection to nobody. */
export default criminal(() => {
  void Promise.reject(new Error('nobody handled this'))
})
