import { request } from 'node:https'
import { parse } from 'yaml'
import { ConfigError, UnavailableError } from '../../../platform/lifecycle/index.ts'

/** What a kubeconfig with client certificates says, in the form that `skerry up` writes it. */
export interface KubeAccess {
  readonly server: string
  readonly ca: Buffer
  readonly cert: Buffer
  readonly key: Buffer
}

export interface KubeAnswer {
  readonly status: number
  readonly body: unknown
}

/** Reads the embedded API's own kubeconfig; any other form of kubeconfig is a ConfigError. */
export function parseKubeAccess(kubeconfig: string): KubeAccess {
  const document: unknown = parse(kubeconfig)
  const text = (path: readonly (string | number)[]): string => {
    let at: unknown = document
    for (const step of path) at = isRecord(at) || Array.isArray(at) ? Reflect.get(at, step) : undefined
    if (typeof at === 'string') return at
    throw new ConfigError('The kubeconfig lacks a field', {
      code: 'PROCESS_KUBECONFIG_INVALID',
      fields: { pointer: `/${path.join('/')}` },
    })
  }
  const data = (path: readonly (string | number)[]) => Buffer.from(text(path), 'base64')
  return {
    server: text(['clusters', 0, 'cluster', 'server']),
    ca: data(['clusters', 0, 'cluster', 'certificate-authority-data']),
    cert: data(['users', 0, 'user', 'client-certificate-data']),
    key: data(['users', 0, 'user', 'client-key-data']),
  }
}

/** One request to the API, answered within five seconds. */
export function callKubernetes(
  access: KubeAccess,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  body?: unknown,
): Promise<KubeAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(
        new UnavailableError('The Kubernetes API did not answer', {
          code: 'PROCESS_API_UNAVAILABLE',
          fields: { method, path },
          cause,
        }),
      )
    const call = request(
      new URL(path, access.server),
      {
        method,
        ca: access.ca,
        cert: access.cert,
        key: access.key,
        agent: false,
        headers: {
          accept: 'application/json',
          ...(body === undefined
            ? {}
            : { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
        },
        signal: AbortSignal.timeout(5000),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', fail)
        response.on('end', () => {
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) })
          } catch (error) {
            fail(error)
          }
        })
      },
    )
    call.on('error', fail)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
