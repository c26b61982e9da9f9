import { CertificateError, derOf } from '../../../platform/certificates/index.ts'
import { type ParsedCsr, parseCsr } from '../../../platform/certificates/issuing/index.ts'
import type { CertificateWish } from '../../kube/certificates/index.ts'
import { arrayAt, objectAt, textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'

/** The signing request in a CertificateSigningRequest, its signature verified; or why it is none. */
export async function readRequest(request: ApiObject): Promise<ParsedCsr | string> {
  const pem = Buffer.from(textAt(objectAt(request, 'spec'), 'request'), 'base64').toString('latin1')
  try {
    return await parseCsr(derOf(pem))
  } catch (error) {
    if (error instanceof CertificateError) return error.message
    throw error
  }
}

export function wishOf(request: ApiObject, { subject, dnsNames, ipAddresses }: ParsedCsr): CertificateWish {
  const spec = objectAt(request, 'spec')
  const texts = (field: string) => arrayAt(spec, field).filter((each) => typeof each === 'string')
  return {
    ...{ commonName: subject.commonName, organizations: subject.organizations, dnsNames, ipAddresses },
    usages: texts('usages'),
    requester: { name: textAt(spec, 'username'), groups: texts('groups') },
  }
}
