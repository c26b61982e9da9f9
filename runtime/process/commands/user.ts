import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { issuedPeople, issuePerson, kubeconfig } from '../../../hub/apiserver/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { systemClock } from '../../../platform/time/index.ts'
import { cloudDirectory } from '../cloud-directory.ts'
import type { CommonOptions } from '../command-options.ts'
import { parseDuration } from '../duration-text.ts'
import { EXIT } from '../exit.ts'
import type { Console } from '../terminal.ts'
import { momentText, textTable } from '../text-table.ts'
import { bindUser, type Wish } from '../user-binding.ts'

export interface UserOptions extends CommonOptions {
  readonly group?: readonly string[]
  readonly role?: string
  readonly namespace?: string
  readonly clusterRole?: string
  readonly ttl?: string
  readonly out?: string
  readonly server?: string
}

/** Nothing takes a certificate back, so it ends soon. */
const DEFAULT_TTL = '7d'
const LONGEST_DAYS = 365
/** Of the common name and of an organization in a certificate, RFC 5280 appendix A.1. */
const LONGEST_NAME = 64

/** `skerry user create NAME`: a kubeconfig with a client certificate of the embedded API, and the rights that go with it. */
export async function createUser(name: string, options: UserOptions, terminal: Console): Promise<number> {
  const groups = options.group ?? []
  for (const each of [name, ...groups]) checkName(each)
  const ttl = parseDuration(options.ttl ?? DEFAULT_TTL)
  if (ttl.milliseconds < 60_000 || ttl.milliseconds > LONGEST_DAYS * 86_400_000) {
    throw new ConfigError(`--ttl has to be from 1m to ${LONGEST_DAYS}d: a certificate cannot be taken back`, {
      code: 'PROCESS_USER_TTL',
    })
  }
  const wish = wishOf(options)
  const directory = cloudDirectory(options.data)
  const issued = await issuePerson(directory, { name, groups, ttl }, systemClock)
  const admin = join(directory, 'kubeconfig')
  const server = options.server ?? (await serverIn(admin))
  const given = wish === undefined ? undefined : await bindUser(admin, name, wish)
  const file = resolve(options.out ?? join(directory, 'users', `${name.replaceAll('/', '_')}.kubeconfig`))
  if (options.out === undefined) await ensureDirectory(join(directory, 'users'), 0o700)
  const { certificate: cert, privateKey: key, ca, expires } = issued
  const namespace = options.namespace ?? 'default'
  await writeFileAtomic(file, kubeconfig({ server, ca, cert, key, user: name, namespace }), 0o600)
  const lines = [
    `${name} reaches the Kubernetes API with ${file} until ${momentText(expires)} UTC`,
    given ??
      `It may do nothing yet but ask what is served: bind a role, or create the user with --role or --cluster-role.`,
    'The certificate cannot be taken back before it ends; its rights can: kubectl delete the binding.',
  ]
  const answer = { name, groups, file, server, expires, ...(given === undefined ? {} : { given }) }
  terminal.print(options.output, answer, lines.join('\n'))
  return EXIT.ok
}

/** `skerry user list`: whose certificates have not ended. */
export async function listUsers(options: CommonOptions, terminal: Console): Promise<number> {
  const users = await issuedPeople(cloudDirectory(options.data), systemClock)
  const rows = users.map(({ name, groups, expires, serial }) => [name, groups.join(','), momentText(expires), serial])
  const text =
    rows.length === 0 ? 'no user has a certificate' : textTable(['NAME', 'GROUPS', 'UNTIL (UTC)', 'SERIAL'], rows)
  terminal.print(options.output, { users }, text)
  return EXIT.ok
}

function checkName(name: string): void {
  if (name.startsWith('system:')) {
    throw new ConfigError(
      `${name} cannot be given: names that begin with system: are the API's own; an administrator gets --cluster-role cluster-admin`,
      { code: 'PROCESS_USER_NAME' },
    )
  }
  if (name === 'skerry:cloud' || name === '' || name.length > LONGEST_NAME || /[^ -~]|[,%]/.test(name)) {
    throw new ConfigError(
      `"${name}" cannot be the name of a user or group: 1 to ${LONGEST_NAME} characters of ASCII, without comma and percent sign`,
      { code: 'PROCESS_USER_NAME' },
    )
  }
}

function wishOf({ role, namespace, clusterRole }: UserOptions): Wish | undefined {
  if (role !== undefined && clusterRole !== undefined) throw options('--role and --cluster-role are one too many')
  if (role !== undefined && namespace === undefined) {
    throw options('--role needs the --namespace in which it counts; for the whole cluster write --cluster-role')
  }
  if (role !== undefined && namespace !== undefined) return { role, namespace }
  return clusterRole === undefined ? undefined : { role: clusterRole, namespace: undefined }
}

function options(text: string): ConfigError {
  return new ConfigError(text, { code: 'PROCESS_USER_OPTIONS' })
}

/** Where the API was last served, which is where it will be again. */
async function serverIn(file: string): Promise<string> {
  const config: unknown = parse((await readFileIfPresent(file)) ?? '')
  const clusters: unknown = Reflect.get(Object(config), 'clusters')
  const cluster: unknown = Array.isArray(clusters) ? Reflect.get(Object(clusters[0]), 'cluster') : undefined
  const server: unknown = Reflect.get(Object(cluster), 'server')
  if (typeof server === 'string') return server
  throw new ConfigError(`${file} does not say where the API is: start the cloud half once, or name it with --server`, {
    code: 'PROCESS_USER_NO_SERVER',
  })
}
