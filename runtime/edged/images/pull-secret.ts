import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ImageAuth } from '../cri/runtime.ts'
import { isObject, objectIn, textIn } from '../pod/json.ts'
import type { RegistryLogin } from './registry-logins.ts'

/** Types of secrets that hold logins, and the key that has them. */
const KEYS = new Map([
  ['kubernetes.io/dockerconfigjson', '.dockerconfigjson'],
  ['kubernetes.io/dockercfg', '.dockercfg'],
])

/** The logins of a secret; else in words what is wrong with it, without anything of its content. */
export function readPullSecret(secret: JsonObject): readonly RegistryLogin[] | string {
  const type = textIn(secret, 'type') ?? 'Opaque'
  const key = KEYS.get(type)
  if (key === undefined) return `it is of type ${type}, not ${[...KEYS.keys()].join(' or ')}`
  const encoded = textIn(secret['data'], key)
  if (encoded === undefined || encoded === '') return `it has no ${key}`
  const config = parsed(decoded(encoded))
  if (!isObject(config)) return `its ${key} is not a JSON object`
  const entries = key === '.dockercfg' ? config : objectIn(config, 'auths')
  return Object.entries(entries).flatMap(([place, entry]) => {
    const auth = authOf(entry)
    return auth ? [{ place, auth }] : []
  })
}

/** `auth` goes before `username` and `password`, as in a kubelet; nothing where there is no login. */
function authOf(entry: Json): ImageAuth | undefined {
  const identityToken = textIn(entry, 'identitytoken') ?? ''
  // Runtimes take a user before a token, and what `docker login` writes beside one is no user.
  if (identityToken !== '') return { identityToken }
  const registryToken = textIn(entry, 'registrytoken') ?? ''
  if (registryToken !== '') return { registryToken }
  const pair = decoded(textIn(entry, 'auth') ?? '')
  const colon = pair.indexOf(':')
  const username = colon < 0 ? (textIn(entry, 'username') ?? '') : pair.slice(0, colon)
  const password = colon < 0 ? (textIn(entry, 'password') ?? '') : pair.slice(colon + 1).replace(/\0+$/, '')
  return username === '' && password === '' ? undefined : { username, password }
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8')
}

function parsed(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch {
    // Its error quotes what it read.
    return undefined
  }
}
