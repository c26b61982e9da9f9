import type { Json } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject } from '../../kube/object/index.ts'

/** For whom a JSON Web Token says that it is; nobody checked that it is genuine. */
export function audiencesOf(token: string): readonly string[] {
  const [, payload = ''] = token.split('.')
  try {
    const claims: Json = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return isJsonObject(claims) ? arrayAt(claims, 'aud').filter((each) => typeof each === 'string') : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}
