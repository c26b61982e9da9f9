// @ts-check
import { once } from 'node:events'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

/**
 * The sensor, simulated, one for each of two rooms: GET answers with its values, PATCH changes what may be changed. What it can do
 * wrong is for the conformance suite.
 */
export async function startSensor(port = 0) {
  const rooms = new Map(
    [1, 2].map((room) => [
      `/rooms/${room}`,
      { co2: 600 + room, temperature: 21.5, serial: `A-${room}`, alarm: room === 1, limit: 1000 },
    ]),
  )
  let requests = 0
  let fault = ''
  let links = 0
  /** @type {(() => void)[]} */
  const held = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    requests++
    const room = rooms.get(request.url ?? '')
    const answer = () => {
      const change = body === '' ? {} : JSON.parse(body)
      if (!room || 'serial' in change) response.writeHead(room ? 403 : 404).end(room ? 'read-only' : 'no such room')
      else response.end(fault === 'garble' ? '{"co2":' : JSON.stringify(Object.assign(room, change)))
    }
    if (fault === 'hold') held.push(answer)
    else if (fault !== 'silence') answer()
  })
  server.on('connection', (socket) => {
    links++
    socket.on('close', () => links--)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : port}`
  return {
    url,
    get connections() {
      return links
    },
    get requests() {
      return requests
    },
    silence() {
      fault = 'silence'
    },
    hold() {
      fault = 'hold'
    },
    garble() {
      fault = 'garble'
    },
    async resume() {
      fault = ''
      for (const answer of held.splice(0)) answer()
    },
    drop() {
      server.closeAllConnections()
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { url } = await startSensor(Number(process.argv[2] ?? 8100))
  console.log(`A sensor answers on ${url}/rooms/1 and ${url}/rooms/2. Ctrl-C ends it.`)
}
