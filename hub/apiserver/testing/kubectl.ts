import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { ServedApi } from './serve.ts'

export interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface KubectlOptions {
  /** Standard input. */
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Everything that was printed up to now, at each new piece. */
  readonly onOut?: (out: string) => void
  /** Instead of the kubeconfig's. */
  readonly namespace?: string
  /** Ends the command. */
  readonly signal?: AbortSignal
  /** Path of another kubectl than the environment's (`KUBECTL`) or the machine's own. */
  readonly program?: string
}

const LONGEST = 60_000

/** Runs the machine's own kubectl against an API, with caches and home in the API's folder. */
export async function kubectl(
  api: Pick<ServedApi, 'kubeconfig' | 'directory'>,
  parameters: readonly string[],
  { input = '', environment = {}, namespace, onOut, signal, program }: KubectlOptions = {},
): Promise<Run> {
  const where = namespace === undefined ? [] : ['--namespace', namespace]
  const kubectl = program ?? process.env['KUBECTL'] ?? 'kubectl'
  const child = spawn(kubectl, ['--kubeconfig', api.kubeconfig, ...where, ...parameters], {
    timeout: LONGEST,
    env: {
      ...process.env,
      HOME: api.directory,
      KUBECACHEDIR: join(api.directory, 'cache'),
      // A fifth of what a command costs the machine is the collecting of garbage that its end collects.
      GOGC: '400',
      ...environment,
    },
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
    onOut?.(out)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  child.stdin.on('error', () => undefined).end(input)
  const end = () => child.kill('SIGINT')
  signal?.addEventListener('abort', end, { once: true })
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve(status ?? -1))
  })
  return { code, out, err }
}
