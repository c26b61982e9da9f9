import { forbidden, type StatusError } from '../status.ts'
import type { Attributes, Requester } from './attributes.ts'

/** A Forbidden Status in the words of Kubernetes' authorizer. */
export function refusal(user: Requester, attributes: Attributes, reason: string): StatusError {
  const why = `${harmless(cannot(user, attributes))}${reason === '' ? '' : `: ${reason}`}`
  const { resource } = attributes
  return resource ? forbidden(resource, resource.name, why) : forbidden(undefined, '', why)
}

function cannot(user: Requester, { verb, path, resource }: Attributes): string {
  if (!resource) return `User ${quoted(user.name)} cannot ${verb} path ${quoted(path)}`
  const { group, plural, subresource, namespace } = resource
  const what = subresource === '' ? plural : `${plural}/${subresource}`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${quoted(namespace)}`
  return `User ${quoted(user.name)} cannot ${verb} resource ${quoted(what)} in API group ${quoted(group)} ${where}`
}

/** Some consoles show messages as HTML. */
function harmless(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
