import { type Kubernetes, NAMESPACES, reasonOfError, SECRETS, type Secret } from '../kubernetes/index.ts'

/** Namespace of KubeEdge's own Secrets, so that an installation is taken over with its CA. */
export const SYSTEM_NAMESPACE = 'kubeedge'

export type SecretBytes = Readonly<Record<string, Uint8Array>>

/**
 * The bytes of a Secret, made by `make` where it is missing or `isUsable` refuses it. Replicas that start together end up
 * with the same: who loses the race takes what the other wrote.
 */
export async function ensureSecret(
  kubernetes: Kubernetes,
  name: string,
  isUsable: (bytes: SecretBytes) => boolean,
  make: () => Promise<SecretBytes>,
  signal?: AbortSignal,
): Promise<SecretBytes> {
  const at = { namespace: SYSTEM_NAMESPACE, name }
  for (let attempt = 0; ; attempt++) {
    const present = await kubernetes.get(SECRETS, at, signal)
    const known = present && bytesOf(present)
    if (known && isUsable(known)) return known
    const made = await make()
    try {
      await writeSecret(kubernetes, at.name, made, present, signal)
      return made
    } catch (error) {
      const reason = reasonOfError(error)
      if (attempt >= 5 || (reason !== 'AlreadyExists' && reason !== 'Conflict')) throw error
    }
  }
}

/** Creates the Secret, or replaces exactly the version that was read; throws ConflictError when somebody was faster. */
export async function writeSecret(
  kubernetes: Kubernetes,
  name: string,
  bytes: SecretBytes,
  present: Secret | undefined,
  signal?: AbortSignal,
): Promise<Secret> {
  const data = Object.fromEntries(
    Object.entries(bytes).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  )
  if (present) {
    // With its labels and type: it may be that of an installation that was taken over.
    return kubernetes.replace(SECRETS, { namespace: SYSTEM_NAMESPACE, name }, { ...present, data }, {}, signal)
  }
  await ensureNamespace(kubernetes, signal)
  const metadata = { name, namespace: SYSTEM_NAMESPACE }
  const object = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data }
  return kubernetes.create(SECRETS, SYSTEM_NAMESPACE, object, signal)
}

export function bytesOf(secret: Secret): SecretBytes {
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, text]) => [key, new Uint8Array(Buffer.from(text, 'base64'))]),
  )
}

async function ensureNamespace(kubernetes: Kubernetes, signal?: AbortSignal): Promise<void> {
  if (await kubernetes.get(NAMESPACES, { name: SYSTEM_NAMESPACE }, signal)) return
  try {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM_NAMESPACE } }
    await kubernetes.create(NAMESPACES, undefined, namespace, signal)
  } catch (error) {
    if (reasonOfError(error) !== 'AlreadyExists') throw error
  }
}
