// @ts-check
import { once } from 'node:events'
import { createServer } from 'node:net'
import { pathToFileURL } from 'node:url'

/**
 * Two thermometers, simulated, each on a TCP port of its own as a serial server has it: `TEMP?` is answered with the value, `LIMIT=30`
 * with `OK`, anything else with `ERR`. What they can do wrong is for the conformance suite.
 */
export async function startThermometers(port = 0) {
  let requests = 0
  let fault = ''
  /** @type {(() => void)[]} */
  const held = []
  /** @type {Set<import('node:net').Socket>} */
  const links = new Set()

  /** @param {Map<string, string>} values @param {string} question */
  const answerTo = (values, question) => {
    const [, name = '', value] = /^([A-Z]+)(?:\?|=(.*))$/.exec(question) ?? []
    if (!values.has(name)) return 'ERR unknown'
    if (value === undefined) return values.get(name)
    if (name !== 'LIMIT') return 'ERR read-only'
    values.set(name, value)
    return 'OK'
  }

  const servers = [21.5, 22.5].map((temperature) => {
    const values = new Map([
      ['TEMP', String(temperature)],
      ['LIMIT', '25'],
      ['SERIAL', `T-${temperature}`],
    ])
    return createServer((socket) => {
      links.add(socket)
      socket.on('close', () => links.delete(socket))
      socket.on('error', () => undefined)
      let text = ''
      socket.on('data', (bytes) => {
        const questions = (text + bytes.toString('latin1')).split('\n')
        text = questions.pop() ?? ''
        for (const question of questions) {
          requests++
          const answer = () =>
            socket.write(`${fault === 'garble' ? 'ERR \u0007?' : answerTo(values, question)}\r\n`, 'latin1')
          if (fault === 'hold') held.push(answer)
          else if (fault !== 'silence') answer()
        }
      })
    })
  })
  const ports = []
  for (const [index, server] of servers.entries()) {
    server.listen(port === 0 ? 0 : port + index, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    ports.push(typeof address === 'object' ? address?.port : port)
  }
  return {
    /** @param {0 | 1} index */
    address: (index) => `tcp://127.0.0.1:${ports[index]}`,
    get connections() {
      return links.size
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
      for (const link of links) link.destroy()
    },
    async [Symbol.asyncDispose]() {
      for (const link of links) link.destroy()
      for (const server of servers) server.close()
    },
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const thermometers = await startThermometers(Number(process.argv[2] ?? 8101))
  console.log(`Thermometers answer at ${thermometers.address(0)} and ${thermometers.address(1)}. Ctrl-C ends them.`)
}
