/** A password as it is kept: the hash over it and its salt. */
export type PasswordHash =
  | { readonly kind: 'pbkdf2'; readonly iterations: number; readonly salt: Buffer; readonly hash: Buffer }
  /** One round of SHA-512 over password and salt, as mosquitto wrote before 2.0. */
  | { readonly kind: 'sha512'; readonly salt: Buffer; readonly hash: Buffer }

export interface PasswordLines {
  readonly users: ReadonlyMap<string, PasswordHash>
  /** Lines that nobody can log in with; never their text. */
  readonly bad: readonly { readonly line: number; readonly reason: string }[]
}

export const MAX_ITERATIONS = 10_000_000
const HASH_BYTES = 64
const LONGEST_USER_NAME = 256

/** The format of mosquitto_passwd: `NAME:$7$ITERATIONS$SALT$HASH`, or `NAME:$6$SALT$HASH`, in Base64. */
export function parsePasswordLines(text: string): PasswordLines {
  const users = new Map<string, PasswordHash>()
  const bad: { line: number; reason: string }[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [name, value] = splitLine(line)
    const found = value === undefined ? 'it has no name and password' : parseHash(value)
    if (typeof found === 'string') bad.push({ line: index + 1, reason: found })
    else if (users.has(name)) bad.push({ line: index + 1, reason: 'the name stands there already' })
    else users.set(name, found)
  }
  return { users, bad }
}

export function passwordLine(name: string, value: PasswordHash): string {
  const start = value.kind === 'pbkdf2' ? `$7$${value.iterations}` : '$6'
  return `${name}:${start}$${value.salt.toString('base64')}$${value.hash.toString('base64')}`
}

/** The text with this line as the only one of the name, or without any; other lines stay as they are. */
export function withPasswordLine(text: string, name: string, line: string | undefined): string {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const place = lines.findIndex((each) => splitLine(each)[0] === name)
  const others = lines.filter((each) => splitLine(each)[0] !== name)
  if (line !== undefined) others.splice(place < 0 ? others.length : place, 0, line)
  return others.map((each) => `${each}\n`).join('')
}

/** Why nobody can be called so in such a file, or nothing. */
export function refuseUserName(name: string): string | undefined {
  if (name === '' || name.length > LONGEST_USER_NAME) return `a user name has 1 to ${LONGEST_USER_NAME} characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f:]/.test(name)) return 'a user name has no colon and no control characters'
  return name.startsWith('#') || name.trim() !== name
    ? 'a user name has no space around it and no # before it'
    : undefined
}

function splitLine(line: string): readonly [string, string | undefined] {
  const colon = line.indexOf(':')
  return colon <= 0 || line.startsWith('#') ? ['', undefined] : [line.slice(0, colon), line.slice(colon + 1).trim()]
}

function parseHash(value: string): PasswordHash | string {
  const [before, kind, ...fields] = value.split('$')
  if (before !== '' || kind === undefined) return 'the password is not hashed: run mosquitto_passwd -U on the file'
  if (kind === '6') {
    const pair = parseSaltAndHash(fields)
    return pair ? { kind: 'sha512', ...pair } : 'the hash is damaged'
  }
  if (kind !== '7') return 'the kind of hash is not known: use sha512-pbkdf2'
  const iterations = Number(fields[0])
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) return 'the hash is damaged'
  const pair = parseSaltAndHash(fields.slice(1))
  return pair ? { kind: 'pbkdf2', iterations, ...pair } : 'the hash is damaged'
}

function parseSaltAndHash([salt, hash, ...rest]: readonly string[]) {
  if (!salt || !hash || rest.length > 0) return undefined
  const pair = { salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
  return pair.salt.length > 0 && pair.hash.length === HASH_BYTES ? pair : undefined
}
