import { request as httpsRequest } from 'node:https'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { generateKeyPair, type KeyPair, pemOf } from '../../../platform/certificates/index.ts'
import { createCsr, loadAuthority } from '../../../platform/certificates/issuing/index.ts'
import type { Metrics } from '../../../platform/health/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { type Logger, silentLogger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import type { CloudAuthority } from '../authority/cloud-authority.ts'
import { createCloudModules } from '../cloud-modules.ts'
import type { RouterParts } from '../compose-router.ts'
import type { Kubernetes } from '../kubernetes/kubernetes.ts'
import { SECRETS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from './fake-kubernetes.ts'

export interface TlsCloudOptions {
  readonly kubernetes?: FakeKubernetes
  /** In place of it. */
  readonly api?: Kubernetes
  readonly metrics?: Metrics
  /** Told of what modules wait for. */
  readonly onPending?: (module: string, what: string | undefined) => void
  readonly nodeLimit?: number
  readonly maxFrameBytes?: number
  readonly handshakeWithin?: Duration
  readonly log?: Logger
  readonly clock?: Clock
  readonly router?: RouterParts
  readonly cloudstream?: { readonly tunnel?: boolean; readonly streamsPerNode?: number }
}

/** The whole cloud half on loopback, real TLS and free ports, over the fake Kubernetes or another one. */
export async function startTlsCloud(t: TestContext, options: TlsCloudOptions = {}) {
  const kubernetes = options.kubernetes ?? new FakeKubernetes()
  const host = '127.0.0.1'
  const { clock = systemClock } = options
  const cloud = createCloudModules(
    {
      cloudhub: {
        host,
        port: 0,
        certificatePort: 0,
        advertise: [host, 'localhost'],
        nodeLimit: options.nodeLimit ?? 10,
        ...(options.maxFrameBytes === undefined ? {} : { maxFrameBytes: options.maxFrameBytes }),
        ...(options.handshakeWithin === undefined ? {} : { handshakeWithin: options.handshakeWithin }),
        certificateDays: 365,
      },
      cloudstream: { tunnelPort: 0, ...options.cloudstream },
      admission: { host, port: 0 },
    },
    {
      kubernetes: options.api ?? kubernetes,
      clock,
      random: systemRandom,
      log: options.log ?? silentLogger,
      ...(options.metrics ? { metrics: options.metrics } : {}),
      ...(options.router ? { router: options.router } : {}),
    },
  )
  const { onPending = () => undefined } = options
  const scopes = cloud.modules.map(({ name }) =>
    createScope(name, {
      clock,
      log: silentLogger,
      deadline: seconds(5),
      onCrash: (error) => {
        throw error
      },
      onPending: (what) => onPending(name, what),
    }),
  )
  for (const [at, module] of cloud.modules.entries()) {
    const scope = scopes[at]
    if (scope) await module.start(scope)
  }
  const stop = async () => {
    for (const scope of [...scopes].reverse()) {
      const closing = scope[Symbol.asyncDispose]()
      kubernetes.dropWatches()
      await closing
    }
  }
  t.after(stop)
  return { ...cloud, kubernetes, authority: cloud.authority.current, stop }
}

export type TlsCloud = Awaited<ReturnType<typeof startTlsCloud>>

export interface HttpAnswer {
  readonly status: number
  /** Header of the answer. */
  readonly connection: string | undefined
  readonly body: Buffer
}

export interface CertificateCall {
  readonly path: string
  readonly ca?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly identity?: { readonly cert: string; readonly key: string }
  readonly method?: string
}

/** One HTTPS request; a GET may carry a body, as edges send it. */
export async function call(
  port: number,
  { path, ca, headers, body, identity, method = 'GET' }: CertificateCall,
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  const outgoing = httpsRequest(
    {
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: { ...headers, ...(body ? { 'content-length': body.length } : {}) },
      ...identity,
      ...(ca ? { ca } : { rejectUnauthorized: false }),
      agent: false,
    },
    (response) => {
      buffer(response).then(
        (answer) =>
          resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, body: answer }),
        reject,
      )
    },
  )
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}

/** A certificate of the cloud's own CA for a node, with dates that nobody would be given now. */
export async function certificateBetween(cloud: Pick<TlsCloud, 'kubernetes'>, node: string, from: number, to: number) {
  const stored = await cloud.kubernetes.get(SECRETS, { namespace: 'kubeedge', name: 'casecret' })
  const bytesOf = (key: string) => Buffer.from(stored?.data?.[key] ?? '', 'base64')
  const ca = loadAuthority({ certificate: bytesOf('cadata'), privateKey: bytesOf('cakeydata') })
  const { csr, keyPair } = await csrOf(node)
  const certificate = await ca.issue({
    csr,
    subject: { commonName: `system:node:${node}`, organizations: ['system:nodes'] },
    usages: ['clientAuth'],
    notBefore: new Date(from),
    notAfter: new Date(to),
  })
  return { cert: pemOf(certificate, 'CERTIFICATE'), key: keyPair.privateKeyPem }
}

export async function csrOf(
  node: string,
  keyPair?: KeyPair,
  organizations: readonly string[] = ['system:nodes'],
  dnsNames: readonly string[] = [],
) {
  const used = keyPair ?? (await generateKeyPair())
  const csr = await createCsr({
    keyPair: used,
    subject: { commonName: `system:node:${node}`, organizations },
    dnsNames,
  })
  return { csr, keyPair: used }
}

/** What of a cloud half a node needs to join. */
export interface JoinedCloud {
  readonly authority: Pick<CloudAuthority, 'caPem' | 'createToken'>
  readonly certificates: { readonly port: number }
}

/** Joins as an edge does, and gives what TLS needs. */
export async function join(cloud: JoinedCloud, node: string) {
  const token = await cloud.authority.createToken({ node })
  const { csr, keyPair } = await csrOf(node)
  const headers = { NodeName: node, Authorization: `Bearer ${token.split('.').slice(1).join('.')}` }
  const { status, body } = await call(cloud.certificates.port, {
    path: '/edge.crt',
    ca: cloud.authority.caPem,
    headers,
    body: csr,
  })
  if (status !== 200) throw new Error(`join failed: ${status} ${body}`)
  return { cert: pemOf(body, 'CERTIFICATE'), key: keyPair.privateKeyPem }
}
