import { criminal } from './criminal.ts'

/** Keeps objects until its heap is full. */
export default criminal(() => {
  const kept: object[] = []
  for (;;) kept.push({ kept: kept.length, text: String(kept.length) })
})
