import { isJsonObject } from '../../kube/object/index.ts'
import { badRequest } from '../../kube/status.ts'

/** Where a list goes on: the state of which version (undefined: the present one), from which key on. */
export interface Position {
  readonly version: number | undefined
  readonly start: string
}

const FORMAT = 'meta.k8s.io/v1'
/** Go on with the present state, whatever it is. */
const PRESENT = -1

/** A continue token, in the form of Kubernetes; clients do not look into it. */
export function positionText({ version, start }: Position): string {
  return Buffer.from(JSON.stringify({ v: FORMAT, rv: version ?? PRESENT, start })).toString('base64url')
}

/** Throws a BadRequest Status. */
export function parsePosition(token: string): Position {
  const bad = badByte(token)
  if (bad >= 0) throw wrong(`illegal base64 data at input byte ${bad}`)
  const value = parsed(Buffer.from(token, 'base64url').toString('utf8'))
  if (!isJsonObject(value)) throw wrong('it holds no position')
  const { v: format, rv: version, start } = value
  if (format !== FORMAT) throw wrong(`server does not recognize this encoded version ${String(format ?? '')}`)
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version === 0 || version < PRESENT) {
    throw wrong(`incorrect encoded start resourceVersion (version ${FORMAT})`)
  }
  if (typeof start !== 'string' || start === '') throw wrong(`encoded start key empty (version ${FORMAT})`)
  return { version: version === PRESENT ? undefined : version, start }
}

/** Where a text stops to be base64, counted in bytes; negative where it is base64. */
function badByte(token: string): number {
  const bad = token.search(/[^\w-]/)
  if (bad >= 0) return Buffer.byteLength(token.slice(0, bad))
  return token.length % 4 === 1 ? token.length - 1 : -1
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const [first = ''] = text
    throw wrong(`invalid character '${first}' looking for beginning of value`)
  }
}

function wrong(why: string) {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`)
}
