import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { crypto_utils, type EndpointDescription, type UserIdentityInfo, UserTokenType } from 'node-opcua-client'
import type { DeviceConfig, SecurityMode } from '../config.ts'
import { policyOf } from './endpoint.ts'

/** How the session is protected, as far as it was verified. */
export interface Ground {
  readonly mode: SecurityMode
  /** A certificate of the server to encrypt with; without one the library would send a password readable. */
  readonly hasCertificate: boolean
}

/**
 * Who we are to the server. Throws where the server knows no such user, and where a password would travel readable without being
 * allowed to.
 */
export async function identityOf(
  device: DeviceConfig,
  endpoint: EndpointDescription,
  { mode, hasCertificate }: Ground,
): Promise<UserIdentityInfo> {
  if (device.username !== undefined) {
    const policies = tokenPolicies(endpoint, UserTokenType.UserName)
    if (policies.length === 0) throw refused('user names', endpoint)
    // What the token says of its own encryption goes before that of the endpoint. OPC UA part 4, 7.41. Of several, the library
    // takes the strongest.
    const encrypts = policies.some(
      ({ securityPolicyUri }) => (policyOf(securityPolicyUri || endpoint.securityPolicyUri) ?? 'None') !== 'None',
    )
    if (mode !== 'SignAndEncrypt' && !(encrypts && hasCertificate) && !device.plainPassword) {
      throw new Error(
        'the server would get the password without encryption; use securityMode SignAndEncrypt, or allow it with plainPassword: true',
      )
    }
    return { type: UserTokenType.UserName, userName: device.username, password: await passwordOf(device) }
  }
  if (device.userCertificateFile !== undefined && device.userPrivateKeyFile !== undefined) {
    if (tokenPolicies(endpoint, UserTokenType.Certificate).length === 0)
      throw refused('certificates of users', endpoint)
    const certificate = new X509Certificate(await readFile(device.userCertificateFile))
    const key = await readFile(device.userPrivateKeyFile, 'utf8')
    if (!certificate.checkPrivateKey(createPrivateKey(key))) {
      throw new Error(`${device.userPrivateKeyFile} is not the key of ${device.userCertificateFile}`)
    }
    const keyOperations = crypto_utils.keyOperationsFromPrivateKey(crypto_utils.makePrivateKeyFromPem(key))
    return { type: UserTokenType.Certificate, certificateData: certificate.raw, keyOperations }
  }
  if (tokenPolicies(endpoint, UserTokenType.Anonymous).length === 0) {
    throw new Error(
      'the server wants to know its user: set username and passwordFile, or userCertificateFile and userPrivateKeyFile',
    )
  }
  return { type: UserTokenType.Anonymous }
}

/** The last line break of a file is not part of the password. */
async function passwordOf({ passwordFile }: DeviceConfig): Promise<string> {
  if (passwordFile === undefined) return ''
  return (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, '')
}

function tokenPolicies(endpoint: EndpointDescription, type: UserTokenType) {
  return (endpoint.userIdentityTokens ?? []).filter(({ tokenType }) => tokenType === type)
}

function refused(what: string, endpoint: EndpointDescription): Error {
  const known = (endpoint.userIdentityTokens ?? []).map(({ tokenType }) => UserTokenType[tokenType])
  return new Error(`the server takes no ${what}; it takes: ${[...new Set(known)].join(', ') || 'nothing'}`)
}
