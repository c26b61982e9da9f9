import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { JsonObject } from '../../../../schemas/index.ts'
import { ISSUER } from '../../../serving/access/authentication.ts'
import type { FakeApplications } from './fake-applications.ts'
import { NODE } from './served-node.ts'

/** The issuer of a cluster of a test. */
export interface ClusterTokens {
  /** A token of `shop/robot`, bound to pod `till`, with what a test changes. */
  issue(claims?: JsonObject, own?: JsonObject): string
  /** The cloud tells its keys. */
  publish(cloud: FakeApplications): void
}

export function clusterTokens(kid = 'key-1'): ClusterTokens {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    issue(claims = {}, own = {}) {
      const now = Math.trunc(Date.now() / 1000)
      const text = `${encoded({ alg: 'ES256', kid })}.${encoded({
        ...{ iss: ISSUER, aud: [ISSUER], sub: 'system:serviceaccount:shop:robot', iat: now, nbf: now, exp: now + 600 },
        'kubernetes.io': {
          namespace: 'shop',
          serviceaccount: { name: 'robot', uid: 'uid-robot' },
          pod: { name: 'till', uid: 'uid-till' },
          node: { name: NODE, uid: 'uid-node' },
          ...own,
        },
        ...claims,
      })}`
      const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${text}.${signature.toString('base64url')}`
    },
    publish({ paths }) {
      paths.set('/.well-known/openid-configuration', { code: 200, object: { issuer: ISSUER } })
      paths.set('/openid/v1/jwks', { code: 200, object: JSON.parse(JSON.stringify({ keys: [jwk] })) })
    },
  }
}
