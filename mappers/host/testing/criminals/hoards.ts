import { criminal } from './criminal.ts'

const kept: Buffer[] = []

/** Keeps buffers, which are in no heap, a few at a time. */
export default criminal(() => {
  const timer = setInterval(() => {
    kept.push(Buffer.alloc(8 << 20, 1))
    if (kept.length > 100) clearInterval(timer)
  }, 20)
})
