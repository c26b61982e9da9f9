import { createServer } from 'node:https'
import { testAuthority, testIdentity } from '../../platform/certificates/testing/index.ts'

// The least that an HTTPS server with mutual TLS does for one object: it reads a request and answers a text of the size given.
const [bytes = '0'] = process.argv.slice(2)
const authority = await testAuthority()
const serving = await testIdentity(authority, { commonName: 'localhost' }, ['serverAuth'])
const client = await testIdentity(authority, { commonName: 'bench' }, ['clientAuth'])
const text = Buffer.from('x'.repeat(Number(bytes)))
const server = createServer({ ...serving, requestCert: true, rejectUnauthorized: true }, (request, response) => {
  request.resume()
  request.on('end', () => response.end(text))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  process.send?.({ url: `https://127.0.0.1:${port}`, startMs: 0, identity: client })
})
process.on('disconnect', () => process.exit())
