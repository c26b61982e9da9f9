import { isPlainName } from '../pod/plain-name.ts'

/** What a path of a kubelet asks for. */
export type KubeletPath =
  | { readonly what: 'logs'; readonly namespace: string; readonly pod: string; readonly container: string }
  | (PodPath & { readonly what: 'exec' | 'attach'; readonly container: string })
  | (PodPath & { readonly what: 'portForward' })

interface PodPath {
  readonly namespace: string
  readonly pod: string
  /** Only the pod with this one is meant. */
  readonly uid?: string
}

/** Undefined for another path. Each part is one name: nothing in it leads elsewhere. */
export function kubeletPath(path: string): KubeletPath | undefined {
  const [root, verb = '', ...encoded] = path.split('/')
  const parts = encoded.map(decoded)
  if (root !== '' || !parts.every(isName)) return undefined
  const [namespace, pod, third, fourth] = parts
  if (namespace === undefined || pod === undefined) return undefined
  if (verb === 'containerLogs' && parts.length === 3 && third !== undefined)
    return { what: 'logs', namespace, pod, container: third }
  if (verb === 'portForward' && parts.length <= 3)
    return { what: 'portForward', namespace, pod, ...(third === undefined ? {} : { uid: third }) }
  if ((verb !== 'exec' && verb !== 'attach') || third === undefined || parts.length > 4) return undefined
  return fourth === undefined
    ? { what: verb, namespace, pod, container: third }
    : { what: verb, namespace, pod, uid: third, container: fourth }
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

function isName(part: string | undefined): part is string {
  return part !== undefined && isPlainName(part)
}
