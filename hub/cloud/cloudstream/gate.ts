import type { Access, Credentials, User } from '../access/access.ts'
import type { KubeletRequest } from './kubelet-path.ts'

export type Admission =
  | { readonly ok: true; readonly user: User }
  | { readonly ok: false; readonly status: 401 | 403 | 500 | 503; readonly text: string; readonly error?: unknown }

/** Who calls; as a kubelet whose anonymous callers are turned away. */
export async function identify(access: Access, shown: Credentials, signal: AbortSignal): Promise<Admission> {
  try {
    const user = await access.authenticate(shown, signal)
    return user ? { ok: true, user } : { ok: false, status: 401, text: 'Unauthorized' }
  } catch (error) {
    signal.throwIfAborted()
    const text = 'the Kubernetes API does not say now who calls: try again'
    return { ok: false, status: 503, text, error }
  }
}

/** Whether the user may do that with the node, or with any where its name is empty: the decisions and words of a kubelet in webhook mode. */
export async function authorize(
  access: Access,
  { user, node, request }: { readonly user: User; readonly node: string; readonly request: KubeletRequest },
  signal: AbortSignal,
): Promise<Admission> {
  const { verb, subresources } = request
  const who = `user=${user.name}, verb=${verb}, resource=nodes`
  for (const subresource of subresources) {
    const resource = { group: '', version: 'v1', plural: 'nodes', subresource, name: node }
    try {
      const { allowed } = await access.authorize(user, { verb, resource }, signal)
      if (allowed) return { ok: true, user }
    } catch (error) {
      signal.throwIfAborted()
      return { ok: false, status: 500, text: `Authorization error (${who}, subresource=${subresource})`, error }
    }
  }
  return { ok: false, status: 403, text: `Forbidden (${who}, subresource(s)=[${subresources.join(' ')}])\n` }
}
