import { performance } from 'node:perf_hooks'
import { serveApi } from '../../hub/apiserver/testing/serve.ts'
import { crds } from '../../schemas/crd/index.ts'

// The embedded API of the folder given, as a process of its own: it says where it is and how long its start took, and its
// memory when asked.
const [directory = ''] = process.argv.slice(2)
const begin = performance.now()
const api = await serveApi(directory, { durability: 'full', crds })
const startMs = performance.now() - begin
const identity = { ca: api.pki.ca, cert: api.pki.admin.certificate, key: api.pki.admin.privateKey }
process.send?.({ url: api.url, startMs, identity })
process.on('message', () => {
  global.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  process.send?.({ rss, heapUsed })
})
process.on('disconnect', () => process.exit())
