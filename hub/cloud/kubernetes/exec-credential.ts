import { execFile } from 'node:child_process'
import { isAbsolute, join } from 'node:path'
import { environmentWith } from '../../../platform/environment/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { isRecord, parseJson } from './guards.ts'

/** `exec` of a user in a kubeconfig: a program that says who asks. */
export interface CredentialPlugin {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly apiVersion: string
}

export interface PluginCredential {
  readonly token?: string
  /** PEM. */
  readonly cert?: string
  readonly key?: string
  /** Unix ms. */
  readonly expires?: number
}

const LARGEST_ANSWER = 1024 * 1024
/** Of what it says on its standard error. */
const LONGEST_REASON = 300

/** A relative command with a slash in it is meant from where the kubeconfig is, as kubectl reads it. */
export function credentialPlugin(exec: unknown, directory: string | undefined): CredentialPlugin | undefined {
  if (!isRecord(exec) || typeof exec['command'] !== 'string' || exec['command'] === '') return undefined
  const { command } = exec
  const isPlace = command.includes('/') && !isAbsolute(command) && directory !== undefined
  return {
    command: isPlace ? join(directory, command) : command,
    args: listOf(exec['args']).map(String),
    env: Object.fromEntries(
      listOf(exec['env'])
        .filter(isRecord)
        .map(({ name, value }) => [String(name), String(value ?? '')]),
    ),
    apiVersion: typeof exec['apiVersion'] === 'string' ? exec['apiVersion'] : 'client.authentication.k8s.io/v1',
  }
}

/** Asks the program; the signal ends it. Throws an UnavailableError that says what it said where it fails. */
export async function askPlugin(plugin: CredentialPlugin, signal: AbortSignal): Promise<PluginCredential> {
  const { command, args, env, apiVersion } = plugin
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = execFile(
    command,
    args,
    {
      env: environmentWith({ ...env, KUBERNETES_EXEC_INFO: info }),
      maxBuffer: LARGEST_ANSWER,
      killSignal: 'SIGKILL',
      signal,
    },
    (error, stdout, stderr) => (error ? reject(failed(command, stderr, error)) : resolve(stdout)),
  )
  child.stdin?.end()
  const answer = parseJson(await promise)
  const status = isRecord(answer) ? answer['status'] : undefined
  const credential = isRecord(status) ? credentialOf(status) : {}
  if (credential.token === undefined && credential.cert === undefined) {
    throw failed(command, 'its answer holds neither a token nor a certificate', undefined)
  }
  return credential
}

function credentialOf(status: Readonly<Record<string, unknown>>): PluginCredential {
  const textAt = (name: string) => (typeof status[name] === 'string' && status[name] !== '' ? status[name] : undefined)
  const [token, cert, key] = [textAt('token'), textAt('clientCertificateData'), textAt('clientKeyData')]
  const expires = Date.parse(textAt('expirationTimestamp') ?? '')
  return {
    ...(token === undefined ? {} : { token }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(Number.isNaN(expires) ? {} : { expires }),
  }
}

function failed(command: string, said: string, cause: unknown): UnavailableError {
  const detail = `the credential plugin ${command} of the kubeconfig failed${said === '' ? '' : `: ${said.trim().slice(0, LONGEST_REASON)}`}`
  // The vendor's error repeats the command line, which may hold what nobody else should read.
  const code = isRecord(cause) && typeof cause['code'] === 'string' ? { cause: new Error(cause['code']) } : {}
  return new UnavailableError('There are no credentials for Kubernetes', {
    code: 'HUB_KUBERNETES_CREDENTIALS',
    fields: { reason: 'Credentials', detail },
    ...code,
  })
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
