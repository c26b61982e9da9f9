import type { Pod } from '../../pod/pod.ts'
import type { ProjectedSource } from '../../pod/schema/volume.ts'
import { soleUser } from '../../pod/sole-user.ts'
import type { VolumeFile } from '../folders/atomic-folder.ts'
import { whyNot } from '../obstacles.ts'
import type { ContentSources } from './sources.ts'

/**
 * A token of the pod's service account that ends with the pod. Only its group or user may read it where it has one; where each
 * container runs as somebody else, whoever may read the volume (as a kubelet does it).
 */
export async function tokenFile(
  { path, audience, expirationSeconds }: NonNullable<ProjectedSource['serviceAccountToken']>,
  mode: number,
  pod: Pod,
  token: ContentSources['token'],
): Promise<readonly [string, VolumeFile]> {
  const { namespace, name, uid, isStatic } = pod
  const { serviceAccountName, securityContext } = pod.spec
  if (isStatic) throw new Error('a pod from a file of this node cannot have a token of a service account')
  const request = {
    ...{ namespace, serviceAccount: serviceAccountName, expirationSeconds },
    audiences: audience === '' ? [] : [audience],
    boundTo: { kind: 'Pod', apiVersion: 'v1', name, uid },
  }
  const given = await token(request).catch((error: unknown) => {
    const told = `token of service account "${serviceAccountName}" of namespace ${namespace}`
    throw new Error(`${told}: ${whyNot(error)}`, { cause: error })
  })
  const user = soleUser(pod)
  const isOwned = user !== undefined || securityContext.fsGroup !== undefined
  const owner = user === undefined ? {} : { uid: user }
  return [path, { data: Buffer.from(given.token), mode: isOwned ? 0o600 : mode, ...owner }]
}
