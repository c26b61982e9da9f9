import type { Bus } from '../../../../platform/bus/index.ts'
import { derOf, pemOf } from '../../../../platform/certificates/index.ts'
import { type Authority, createAuthority, parseCsr } from '../../../../platform/certificates/issuing/index.ts'
import { RefusedError, UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { type Clock, minutes } from '../../../../platform/time/index.ts'
import { type Json, type JsonObject, type ObjectAnswer, requestObject, writeObject } from '../../../../schemas/index.ts'
import { objectAt, textAt } from '../../../kube/object/index.ts'

/** The cloud of a cluster that signs serving certificates, as far as a node sees it on its bus. */
export interface ClusterSigner {
  isConnected: boolean
  /** Whether requests are signed when they come. */
  isApproving: boolean
  /** As `kube-root-ca.crt` has it. */
  rootCa: string
  /** Requests as they were written, by name. */
  readonly requests: ReadonlyMap<string, JsonObject>
  authority: Authority
  /** Requests that are being answered. */
  busy: number
  /** Signs, or refuses, what was not signed yet. */
  decide(verdict: 'Approved' | 'Denied'): Promise<void>
  serve(bus: Bus): void
}

export interface SignerOptions {
  readonly clock: Clock
  readonly lifetimeMs?: number
}

export async function clusterSigner({ clock, lifetimeMs = 3_600_000 }: SignerOptions): Promise<ClusterSigner> {
  const authority = await newAuthority(clock)
  const requests = new Map<string, JsonObject>()
  const sign = async (object: JsonObject) => {
    const request = Buffer.from(textAt(objectAt(object, 'spec'), 'request'), 'base64').toString('latin1')
    const { subject, dnsNames, ipAddresses, publicKeyDer } = await parseCsr(derOf(request))
    const now = clock.now()
    const der = await signer.authority.issue({
      ...{ publicKey: publicKeyDer, subject, dnsNames, ipAddresses, usages: ['serverAuth'] },
      ...{ notBefore: new Date(now), notAfter: new Date(now + lifetimeMs) },
    })
    const certificate = Buffer.from(pemOf(der, 'CERTIFICATE')).toString('base64')
    return { ...object, status: { conditions: [{ type: 'Approved' }], certificate } }
  }
  const nameOf = (resource: string) => resource.slice(resource.lastIndexOf('/') + 1)
  const signer: ClusterSigner = {
    ...{ isConnected: true, isApproving: true, rootCa: authority.certificatePem, requests, authority, busy: 0 },
    async decide(verdict) {
      for (const [name, object] of requests) {
        const refused = { ...object, status: { conditions: [{ type: verdict }] } }
        if (!object['status']) requests.set(name, verdict === 'Approved' ? await sign(object) : refused)
      }
    },
    serve(bus) {
      bus.serve(writeObject, async ({ resource, content }): Promise<Json> => {
        if (!signer.isConnected) throw away()
        signer.busy++
        const object: JsonObject = JSON.parse(JSON.stringify(content))
        requests.set(nameOf(resource), signer.isApproving ? await sign(object) : object)
        signer.busy--
        return content
      })
      bus.serve(requestObject, async ({ resource }): Promise<ObjectAnswer> => {
        if (resource.endsWith('/configmap/kube-root-ca.crt')) {
          return { from: 'node', object: { data: { 'ca.crt': signer.rootCa } } }
        }
        if (!signer.isConnected) throw away()
        const object = requests.get(nameOf(resource))
        if (object) return { from: 'cloud', object }
        throw new RefusedError('The cloud could not answer the query', {
          ...{ code: 'HUB_QUERY_FAILED', fields: { status: 404 } },
        })
      })
    },
  }
  return signer
}

export function newAuthority(clock: Clock): Promise<Authority> {
  return createAuthority({ commonName: 'kubernetes', validity: minutes(60 * 24), clock })
}

function away(): UnavailableError {
  return new UnavailableError('The cloud is not connected', { code: 'HUB_OFFLINE' })
}
