import { createServer } from 'node:https'
import { WebSocketServer } from 'ws'

/** WSS with mutual TLS that sends back what it gets, in a process of its own. Its first message is its TLS identity. */
process.once('message', (identity: { readonly key: string; readonly cert: string; readonly ca: string }) => {
  const server = createServer({ ...identity, requestCert: true, rejectUnauthorized: true })
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
    socket.on('message', (data) => socket.send(data, { binary: false }))
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.(typeof address === 'object' && address !== null ? address.port : 0)
  })
})
process.on('disconnect', () => process.exit(0))
