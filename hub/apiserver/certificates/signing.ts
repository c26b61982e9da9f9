import { pemOf } from '../../../platform/certificates/index.ts'
import type { Authority, ParsedCsr } from '../../../platform/certificates/issuing/index.ts'
import { createReconciler } from '../../../platform/lifecycle/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import {
  type CertificateWish,
  certificateIn,
  conditionsOf,
  hasVerdict,
  KUBELET_CLIENT_SIGNER,
  SIGNERS,
} from '../../kube/certificates/index.ts'
import { entryOf, nameOf, objectAt, textAt, withContent } from '../../kube/object/index.ts'
import { rightTo } from '../../kube/rbac/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import type { Authorizer } from '../../serving/access/authorization.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import { systemChange } from '../rest/context.ts'
import { updateObject } from '../rest/update.ts'
import { CERTIFICATE_REQUESTS } from './admission.ts'
import { readRequest, wishOf } from './read-request.ts'

export interface SigningOptions extends ControllerOptions {
  readonly authority: Authority
  readonly authorize: Authorizer
}

/** As Kubernetes' controllers have it, unless the request asks for less. */
const LONGEST_SECONDS = 365 * 24 * 3600

/** Signs approved requests of the API's own signers, and approves those of kubelets that may ask by themselves. */
export function certificateSigning({ api, metrics, authority, authorize }: SigningOptions): Controller {
  const write = async (
    name: string,
    part: 'approval' | 'status',
    change: (request: ApiObject) => ApiObject,
    signal: AbortSignal,
  ) => {
    const definition = api.registry.stored(CERTIFICATE_REQUESTS)
    if (!definition) return
    await updateObject(api, systemChange(definition, '', signal), { name, subresource: part }, { propose: change })
  }
  const reconcile = async (name: string, signal: AbortSignal) => {
    const request = api.store.get(CERTIFICATE_REQUESTS, keyOf('', name))
    const signer = request && entryOf(SIGNERS, textAt(objectAt(request, 'spec'), 'signerName'))
    if (!request || !signer || hasVerdict(request, 'Denied') || hasVerdict(request, 'Failed')) return
    if (certificateIn(request) !== '') return
    const parsed = await readRequest(request)
    const why = typeof parsed === 'string' ? parsed : signer.refuse(wishOf(request, parsed))
    if (!hasVerdict(request, 'Approved')) {
      if (typeof parsed === 'string' || why !== undefined || !mayAskAlone(request, wishOf(request, parsed), authorize))
        return
      await write(name, 'approval', (current) => withCondition(current, AUTO_APPROVED), signal)
      return
    }
    if (typeof parsed === 'string' || why !== undefined) {
      const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: why ?? '' }
      await write(name, 'status', (current) => withCondition(current, failed), signal)
      return
    }
    const certificate = await sign(authority, signer.usage, request, parsed, api.clock.now())
    const signed = (current: ApiObject) =>
      withContent(current, { status: { ...objectAt(current, 'status'), certificate } })
    await write(name, 'status', signed, signal)
  }
  const reconciler = createReconciler({
    ...{
      name: 'certificate-signing',
      workers: 2,
      clock: api.clock,
      random: api.random,
      log: api.log,
      metrics,
      reconcile,
    },
  })
  return {
    watch() {
      for (const [, request] of api.store.list(CERTIFICATE_REQUESTS)) reconciler.enqueue(nameOf(request))
      return api.store.onChange((resource, { after }) => {
        if (resource === CERTIFICATE_REQUESTS && after) reconciler.enqueue(nameOf(after))
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

const AUTO_APPROVED = {
  ...{ type: 'Approved', status: 'True', reason: 'AutoApproved' },
  message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
}

/** A node that renews its own certificate, or a bootstrapper of nodes, where a role says that nobody need look. */
function mayAskAlone(request: ApiObject, wish: CertificateWish, authorize: Authorizer): boolean {
  if (textAt(objectAt(request, 'spec'), 'signerName') !== KUBELET_CLIENT_SIGNER) return false
  const subresources = [...(wish.requester.name === wish.commonName ? ['selfnodeclient'] : []), 'nodeclient']
  return subresources.some((subresource) => {
    const right = { group: 'certificates.k8s.io', plural: 'certificatesigningrequests', subresource }
    return authorize(wish.requester, rightTo('create', right)).allowed
  })
}

async function sign(
  authority: Authority,
  usage: 'clientAuth' | 'serverAuth',
  request: ApiObject,
  { subject, dnsNames, ipAddresses, publicKeyDer }: ParsedCsr,
  now: number,
): Promise<string> {
  const asked = objectAt(request, 'spec')['expirationSeconds']
  const seconds = Math.min(typeof asked === 'number' ? asked : LONGEST_SECONDS, LONGEST_SECONDS)
  const der = await authority.issue({
    ...{ publicKey: publicKeyDer, subject, dnsNames, ipAddresses, usages: [usage] },
    notBefore: new Date(now),
    notAfter: new Date(now + seconds * 1000),
  })
  return Buffer.from(pemOf(der, 'CERTIFICATE')).toString('base64')
}

function withCondition(request: ApiObject, condition: JsonObject): ApiObject {
  const others = conditionsOf(request).filter((each) => each['type'] !== condition['type'])
  return withContent(request, { status: { ...objectAt(request, 'status'), conditions: [...others, condition] } })
}
