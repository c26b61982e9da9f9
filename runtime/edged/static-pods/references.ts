import { objectIn, textIn } from '../pod/json.ts'
import type { Pod } from '../pod/pod.ts'
import type { Volume } from '../pod/schema/volume.ts'

/** What a pod uses of the API; nothing where it stands alone, as pods from files have to (the API refuses their mirrors else). */
export function referenceOf({ spec, source }: Pod): string | undefined {
  const given = objectIn(source, 'spec')
  if (textIn(given, 'serviceAccountName') || textIn(given, 'serviceAccount')) return 'serviceaccounts'
  if (spec.imagePullSecrets.length > 0) return 'secrets'
  for (const { env, envFrom } of [...spec.initContainers, ...spec.containers]) {
    if (envFrom.some(({ secretRef }) => secretRef) || env.some(({ valueFrom }) => valueFrom?.secretKeyRef)) {
      return 'secrets'
    }
    if (envFrom.some(({ configMapRef }) => configMapRef) || env.some(({ valueFrom }) => valueFrom?.configMapKeyRef)) {
      return 'configmaps'
    }
  }
  return spec.volumes.map(referenceOfVolume).find((reference) => reference !== undefined)
}

function referenceOfVolume({ configMap, secret, projected }: Volume): string | undefined {
  if (configMap) return 'configmaps (via configmap volumes)'
  if (secret) return 'secrets (via secret volumes)'
  for (const source of projected?.sources ?? []) {
    if (source.configMap) return 'configmaps (via projected volumes)'
    if (source.secret) return 'secrets (via projected volumes)'
    if (source.serviceAccountToken) return 'serviceaccounts (via projected volumes)'
  }
  return undefined
}
