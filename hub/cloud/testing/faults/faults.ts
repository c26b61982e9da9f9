import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Duration } from '../../../../platform/time/index.ts'
import type { Fault, FaultServer } from './fault-server.ts'

/** The same answer to everything. */
export function answers(status: number, body: string | object, headers: Readonly<Record<string, string>> = {}): Fault {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/html' : 'application/json'
  return (request, response) => {
    request.resume()
    response.writeHead(status, { 'content-type': type, ...headers }).end(text)
  }
}

/** A refusal as an API server writes it. */
export function refuses(
  code: number,
  reason: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): Fault {
  return answers(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }, headers)
}

/** Requests are taken and never answered. */
export function silent(server: FaultServer): Fault {
  return (request, response) => {
    request.resume()
    server.held++
    response.on('close', () => server.held--)
  }
}

/** Everything comes so much later. */
export function late(server: FaultServer, clock: Clock, wait: Duration): Fault {
  return (_request, _response, pass) => {
    server.held++
    clock.after(wait, () => {
      server.held--
      pass()
    })
  }
}

/** Watches begin, and tell nothing ever. */
export function mute(): Fault {
  return onlyFor(isWatch, (request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
  })
}

/** The answer of the API, cut off after so many bytes, with the connection. */
export function cutAfter(
  bytes: number,
  cut: (response: ServerResponse) => void = (response) => response.destroy(),
): Fault {
  return (_request, response, pass) => {
    const write = response.write.bind(response)
    let left = bytes
    const shortened = (chunk: unknown): boolean => {
      const given = Buffer.from(chunk instanceof Uint8Array ? chunk : String(chunk))
      const kept = given.subarray(0, left)
      left -= kept.length
      if (kept.length > 0) write(kept, () => left === 0 && cut(response))
      return true
    }
    Object.assign(response, { write: shortened })
    pass()
  }
}

export function onlyFor(concerns: (request: IncomingMessage) => boolean, fault: Fault): Fault {
  return (request, response, pass) => (concerns(request) ? fault(request, response, pass) : pass())
}

export function isWatch(request: IncomingMessage): boolean {
  return new URL(request.url ?? '', 'https://x').searchParams.get('watch') === 'true'
}

export function isList(request: IncomingMessage): boolean {
  return request.method === 'GET' && !isWatch(request)
}
