import type { Application } from '../../../schemas/index.ts'
import type { NodePeer } from '../cloudhub/delivery.ts'
import { isJsonObject, parseJson } from '../kubernetes/guards.ts'
import type { Caller } from '../kubernetes/index.ts'

/** In whose name an Application is carried out: that of a token, which only a Skerry edge sends, or the node's own. */
export function callerOf(application: Application, peer: NodePeer): Exclude<Caller, 'cloud'> | 'node' {
  const token = peer.skerry ? application.skerry?.token : undefined
  return token === undefined ? 'node' : { token }
}

/** When a token ends, Unix ms, as it says itself; undefined where it says nothing. Nothing is believed for that: the API verifies it. */
export function endOfToken(token: string): number | undefined {
  const [, payload = ''] = token.split('.')
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'))
  const end = isJsonObject(claims) ? Number(claims['exp']) : Number.NaN
  return Number.isFinite(end) ? end * 1000 : undefined
}
