import { serveApi } from './serve.ts'

// Serves the API of the folder given, as a process that a test can kill.
const [directory = ''] = process.argv.slice(2)
const api = await serveApi(directory, { durability: 'full' })
process.send?.({ url: api.url })
