import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { crypto_utils, type EndpointDescription, type UserIdentityInfo, UserTokenType } from 'node-opcua-client'
import type { DeviceConfig, SecurityMode } from '../config.ts'
import { policyOf } from './endpoint.ts'

/**
 * Who we are to the server. Throws where the server knows no such user, and where a password would travel readable without being
 * allowed to.
 */
export async function identityOf(
  device: DeviceConfig,
  endpoint: EndpointDescription,
  mode: SecurityMode,
): Promise<UserIdentityInfo> {
  if (device.username !== undefined) {
    const policy = tokenPolicy(endpoint, UserTokenType.UserName)
    if (!policy) throw refused('user names', endpoint)
    // What the token says of its own encryption goes before that of the endpoint. OPC UA part 4, 7.41.
    const uri = policy.securityPolicyUri || endpoint.securityPolicyUri
    const isEncrypted = mode === 'SignAndEncrypt' || (policyOf(uri) ?? 'None') !== 'None'
    if (!isEncrypted && !device.plainPassword) {
      throw new Error(
        'the server would get the password without encryption; use securityMode SignAndEncrypt, or allow it with plainPassword: true',
      )
    }
    return { type: UserTokenType.UserName, userName: device.username, password: await passwordOf(device) }
  }
  if (device.userCertificateFile !== undefined && device.userPrivateKeyFile !== undefined) {
    if (!tokenPolicy(endpoint, UserTokenType.Certificate)) throw refused('certificates of users', endpoint)
    const certificate = new X509Certificate(await readFile(device.userCertificateFile))
    const key = await readFile(device.userPrivateKeyFile, 'utf8')
    if (!certificate.checkPrivateKey(createPrivateKey(key))) {
      throw new Error(`${device.userPrivateKeyFile} is not the key of ${device.userCertificateFile}`)
    }
    const keyOperations = crypto_utils.keyOperationsFromPrivateKey(crypto_utils.makePrivateKeyFromPem(key))
    return { type: UserTokenType.Certificate, certificateData: certificate.raw, keyOperations }
  }
  if (!tokenPolicy(endpoint, UserTokenType.Anonymous)) {
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

function tokenPolicy(endpoint: EndpointDescription, type: UserTokenType) {
  return endpoint.userIdentityTokens?.find(({ tokenType }) => tokenType === type)
}

function refused(what: string, endpoint: EndpointDescription): Error {
  const known = (endpoint.userIdentityTokens ?? []).map(({ tokenType }) => UserTokenType[tokenType])
  return new Error(`the server takes no ${what}; it takes: ${[...new Set(known)].join(', ') || 'nothing'}`)
}
