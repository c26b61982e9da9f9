import { registerHooks } from 'node:module'

/** Loads the edge half as `skerry edge` does, and sends to its parent what that loads. */
const loaded: string[] = []
registerHooks({
  load(url, context, next) {
    loaded.push(url)
    return next(url, context)
  },
})
await import('../commands/edge.ts')
process.send?.(loaded)
