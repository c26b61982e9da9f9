import { KubeletRefusal } from '../answers.ts'

/** Which streams a command or an attachment has. */
export interface StreamOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** As an API server asks a kubelet (`input=1`), or as `kubectl` asks an API server (`stdin=true`). */
export function streamOptions(query: URLSearchParams): StreamOptions {
  const has = (...names: readonly string[]) => names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''))
  const tty = has('tty')
  const [stdin, stdout] = [has('input', 'stdin'), has('output', 'stdout')]
  // A terminal has one output.
  const stderr = !tty && has('error', 'stderr')
  if (!stdin && !stdout && !stderr)
    throw new KubeletRefusal(400, 'you must specify at least 1 of stdin, stdout, stderr')
  return { stdin, stdout, stderr, tty }
}

/** Ports that a WebSocket forwards are named before; with SPDY each stream names its own. */
export function forwardedPorts(query: URLSearchParams, isWebSocket: boolean): readonly number[] {
  if (!isWebSocket) return []
  const named = query.getAll('port').flatMap((each) => each.split(','))
  if (named.length === 0) throw new KubeletRefusal(400, 'query parameter "port" is required')
  return named.map((text) => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
    if (port < 1 || port > 65_535) throw new KubeletRefusal(400, `unable to parse "${text}" as a port`)
    return port
  })
}
