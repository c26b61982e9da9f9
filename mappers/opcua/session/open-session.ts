import {
  ClientSecureChannelLayer,
  type ClientSession,
  crypto_utils,
  DataTypeExtractStrategy,
  type EndpointDescription,
  MessageSecurityMode,
  OPCUAClient,
  type OPCUAClientOptions,
  SecurityPolicy,
} from 'node-opcua-client'
import type { MapperContext } from '../../contract/index.ts'
import type { DeviceConfig, SecurityMode } from '../config.ts'
import { openFirstUses } from '../trust/first-uses.ts'
import { verifyServer } from '../trust/server-certificate.ts'
import { openTrustStore } from '../trust/trust-store.ts'
import { type Protection, policyOf, policyUri, strengthOf, strongest, wantsNone } from './endpoint.ts'
import { identityOf } from './identity.ts'
import { Lifeline } from './lifeline.ts'
import { type OwnCertificate, ownCertificate } from './own-certificate.ts'
import { warnOfOpenSecrets } from './secret-files.ts'

export interface OpenSession {
  readonly session: ClientSession
  readonly lifeline: Lifeline
}

interface Offer extends Protection {
  readonly endpoint: EndpointDescription
}

/**
 * Connects once; whoever wants more connects again. Security is decided from what the server offers, and checked again with
 * what it says once messages are protected: an offer can be forged on its way, the second answer cannot.
 */
export async function openSession(device: DeviceConfig, context: MapperContext): Promise<OpenSession> {
  context.signal.throwIfAborted()
  await warnOfOpenSecrets(device, context.log)
  const own = await ownCertificate(device, context.folder, context.clock.now())
  const offers = await fetchOffers(device, own, context)
  const chosen = strongest(device, offers)
  if (chosen.mode !== 'None' || isPasswordEncrypted(device, chosen.endpoint))
    await verify(device, chosen.endpoint, context)
  const serverCertificate = chosen.endpoint.serverCertificate
  const client = createClient(device, own, {
    securityMode: MessageSecurityMode[chosen.mode],
    securityPolicy: policyUri(chosen.policy),
    ...(serverCertificate && serverCertificate.length > 0 ? { serverCertificate } : {}),
  })
  const lifeline = new Lifeline(client, context.clock)
  try {
    await lifeline.run(context.signal, client.connect(device.url))
    const endpoint = client.findEndpointForSecurity(client.securityMode, client.securityPolicy)
    if (!endpoint) throw new Error(`the server ${device.url} no longer offers ${chosen.mode} with ${chosen.policy}`)
    if (chosen.mode !== 'None')
      refuseWeakening(device, chosen, offersOf(await lifeline.run(context.signal, client.getEndpoints())))
    const hasCertificate = (serverCertificate?.length ?? 0) > 0
    const identity = await identityOf(device, endpoint, { mode: chosen.mode, hasCertificate })
    const session = await lifeline.run(context.signal, client.createSession(identity))
    lifeline.follow(session)
    return { session, lifeline }
  } catch (error) {
    await lifeline.close()
    throw explained(error, device)
  }
}

async function fetchOffers(
  device: DeviceConfig,
  own: OwnCertificate,
  context: MapperContext,
): Promise<readonly Offer[]> {
  const client = createClient(device, own, {
    securityMode: MessageSecurityMode.None,
    securityPolicy: SecurityPolicy.None,
  })
  const lifeline = new Lifeline(client, context.clock)
  try {
    await lifeline.run(context.signal, client.connect(device.url))
    return offersOf(await lifeline.run(context.signal, client.getEndpoints()))
  } catch (error) {
    throw explained(error, device)
  } finally {
    await lifeline.close()
  }
}

function offersOf(endpoints: readonly EndpointDescription[]): readonly Offer[] {
  return endpoints.flatMap((endpoint) => {
    const mode = MODES.get(endpoint.securityMode)
    const policy = policyOf(endpoint.securityPolicyUri)
    return mode === undefined || policy === undefined ? [] : [{ mode, policy, endpoint }]
  })
}

const MODES: ReadonlyMap<MessageSecurityMode, SecurityMode> = new Map([
  [MessageSecurityMode.None, 'None'],
  [MessageSecurityMode.Sign, 'Sign'],
  [MessageSecurityMode.SignAndEncrypt, 'SignAndEncrypt'],
])

/** A password may be encrypted for a server whose messages are not: then it matters whose certificate that is. */
function isPasswordEncrypted(device: DeviceConfig, endpoint: EndpointDescription): boolean {
  return device.username !== undefined && !device.plainPassword && (endpoint.serverCertificate?.length ?? 0) > 0
}

async function verify(device: DeviceConfig, endpoint: EndpointDescription, context: MapperContext): Promise<void> {
  const { folder, clock, log } = context
  const shown = {
    der: endpoint.serverCertificate ?? new Uint8Array(),
    applicationUri: endpoint.server.applicationUri ?? '',
  }
  await verifyServer(device, shown, {
    store: await openTrustStore(folder),
    firstUses: await openFirstUses(folder),
    now: clock.now(),
    warn: (message, fields) => log.warn(message, fields),
  })
}

function refuseWeakening(device: DeviceConfig, chosen: Protection, offers: readonly Offer[]): void {
  if (wantsNone(device)) return
  const best = strongest(device, offers)
  if (strengthOf(best) <= strengthOf(chosen)) return
  throw new Error(
    `somebody between here and ${device.url} hides that the server offers ${best.mode} with ${best.policy}, which is stronger than ${chosen.mode} with ${chosen.policy}`,
  )
}

function createClient(
  device: DeviceConfig,
  own: OwnCertificate,
  security: Pick<OPCUAClientOptions, 'securityMode' | 'securityPolicy' | 'serverCertificate'>,
): OPCUAClient {
  const chain = [own.certificate.raw]
  const key = crypto_utils.makePrivateKeyFromPem(own.key)
  return OPCUAClient.create({
    ...security,
    applicationName: device.applicationName,
    applicationUri: own.applicationUri,
    clientName: device.applicationName,
    certificateKeyPairProvider: {
      getCertificate: () => own.certificate.raw,
      getCertificateChain: () => chain,
      getPrivateKey: () => key,
    },
    // The host connects again. The library would do it behind its back, and go on with a server that nobody checked.
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 100 },
    endpointMustExist: false,
    // A structure is described when one arrives: all types of a server would take longer than the deadline of a call.
    dataTypeExtractStrategy: DataTypeExtractStrategy.Lazy,
    keepSessionAlive: true,
    keepAliveInterval: Math.min(device.sessionTimeout / 3, device.keepAlive + device.timeout),
    requestedSessionTimeout: device.sessionTimeout,
    transportTimeout: device.sessionTimeout * 2,
    defaultTransactionTimeout: Math.max(device.timeout, ClientSecureChannelLayer.minTransactionTimeout),
  })
}

/** What the library says is long and of many lines, also as the cause of something shorter. */
function explained(error: unknown, device: DeviceConfig): unknown {
  if (!(error instanceof Error)) return error
  const { message } = error
  if (/BadIdentityTokenRejected|BadUserAccessDenied|BadIdentityTokenInvalid/.test(message)) {
    return new Error(`the server does not accept the user ${device.username ?? 'of this device'}: ${codeIn(message)}`)
  }
  if (/BadSecurityChecksFailed|BadCertificateUntrusted/.test(message)) {
    return new Error(
      `the server does not trust the certificate of Skerry (${codeIn(message)}): accept it there; it is in the folder own/ of the mapper`,
    )
  }
  if (message.includes('ECONNREFUSED')) return new Error(`nobody listens at ${device.url} (ECONNREFUSED)`)
  if (message.includes('may have been rejected by server')) {
    return new Error(`${device.url} took the link, but ended it before it was ready; is an OPC UA server there?`)
  }
  if (message.includes('third party')) return new Error(`${device.url} closed the connection`)
  return message.includes('\n') ? new Error(message.replace(/\s*\n\s*/g, ' ')) : error
}

function codeIn(message: string): string {
  return /Bad[A-Z]\w+/.exec(message)?.[0] ?? message
}
