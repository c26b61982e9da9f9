import { once } from 'node:events'
import { createServer } from 'node:net'
import {
  MessageSecurityMode,
  SecurityPolicy,
  StatusCodes,
  setDebugLogger,
  setErrorLogger,
  setWarningLogger,
} from 'node-opcua-client'
import { OPCUAServer, type OPCUAServerOptions } from 'node-opcua-server'
import type { CertificateFiles } from './certificate.ts'

export type AddressSpace = NonNullable<OPCUAServer['engine']['addressSpace']>

export interface OpcuaServerOptions {
  readonly host: string
  readonly name: string
  readonly applicationUri: string
  readonly certificate: CertificateFiles
  /** What clients are told to connect to; default: where it listens. */
  readonly advertised?: string
  /** Passwords by name. */
  readonly users?: Readonly<Record<string, string>>
  readonly allowAnonymous?: boolean
  readonly modes?: readonly MessageSecurityMode[]
  readonly policies?: readonly SecurityPolicy[]
  /** Whether a certificate, DER, is that of a user, or of an application that may connect; default: yes. */
  readonly isTrusted?: (certificate: Uint8Array) => boolean
  /** Default: 10. */
  readonly subscriptionsPerSession?: number
  readonly operationLimits?: Readonly<Record<string, number>>
  readonly build: (space: AddressSpace) => void
}

export interface OpcuaServer extends AsyncDisposable {
  readonly port: number
  readonly server: OPCUAServer
  readonly space: AddressSpace
}

const FAREWELL_MS = 0

/** A real OPC UA server with what `build` puts into it, on a free port. */
export async function startOpcuaServer(options: OpcuaServerOptions): Promise<OpcuaServer> {
  const { certificate, host, name } = options
  // The library prints on the terminal what it thinks of its clients, and of links that a fault has spoilt.
  for (const set of [setDebugLogger, setWarningLogger, setErrorLogger]) set(() => undefined)
  const port = await freePort(host)
  const server = new OPCUAServer({
    host,
    hostname: host,
    port,
    ...(options.advertised === undefined ? {} : { advertisedEndpoints: options.advertised }),
    serverInfo: { applicationUri: options.applicationUri, applicationName: { text: name }, productUri: 'urn:skerry' },
    certificateFile: certificate.certificateFile,
    privateKeyFile: certificate.keyFile,
    serverCertificateManager: storeOf(options),
    userCertificateManager: storeOf(options),
    allowAnonymous: options.allowAnonymous ?? true,
    securityModes: [
      ...(options.modes ?? [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt]),
    ],
    securityPolicies: [
      ...(options.policies ?? [
        SecurityPolicy.None,
        SecurityPolicy.Aes128_Sha256_RsaOaep,
        SecurityPolicy.Basic256Sha256,
        SecurityPolicy.Aes256_Sha256_RsaPss,
      ]),
    ],
    userManager: {
      isValidUser: (user: string, password: string) =>
        Object.hasOwn(options.users ?? {}, user) && options.users?.[user] === password,
    },
    serverCapabilities: {
      maxSessions: 100,
      ...(options.subscriptionsPerSession ? { maxSubscriptionsPerSession: options.subscriptionsPerSession } : {}),
      ...(options.operationLimits ? { operationLimits: options.operationLimits } : {}),
    },
    maxConnectionsPerEndpoint: 100,
  })
  await server.initialize()
  const space = server.engine.addressSpace
  if (!space) throw new Error('the OPC UA server has no address space')
  options.build(space)
  await server.start()
  return {
    port,
    server,
    space,
    [Symbol.asyncDispose]: async () => {
      await server.shutdown(FAREWELL_MS)
      server.dispose()
    },
  }
}

/** The library keeps what it trusts in folders; a simulator needs none. It takes anything that answers as its store does. */
function storeOf(options: OpcuaServerOptions): NonNullable<OPCUAServerOptions['userCertificateManager']>
function storeOf({ isTrusted }: OpcuaServerOptions): object {
  const judge = (certificate: Uint8Array | readonly Uint8Array[]) => {
    const [first] = certificate instanceof Uint8Array ? [certificate] : certificate
    return !first || !isTrusted || isTrusted(first) ? StatusCodes.Good : StatusCodes.BadCertificateUntrusted
  }
  type Answer = (error: null, status: unknown) => void
  const check = (certificate: Uint8Array, answer?: Answer) => {
    const status = judge(certificate)
    if (answer) answer(null, status)
    return Promise.resolve(status)
  }
  return {
    referenceCounter: 0,
    initialize: async () => undefined,
    dispose: async () => undefined,
    checkCertificate: check,
    getTrustStatus: check,
    verifyCertificate: async (certificate: Uint8Array) => judge(certificate).name,
    trustCertificate: async () => undefined,
    rejectCertificate: async () => undefined,
    addIssuer: async () => undefined,
    addRevocationList: async () => undefined,
  }
}

/** The library takes 0 for its default port. */
async function freePort(host: string): Promise<number> {
  const probe = createServer().listen(0, host)
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
