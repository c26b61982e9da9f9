import { methodNotAllowed, unknownPath } from '../../kube/status.ts'
import type { Reply } from '../../serving/answers/answer.ts'
import type { AskedResource } from '../../serving/requests/resource-request.ts'
import type { ApiContext } from './context.ts'
import { serveResource } from './resources.ts'

/** Serves requests for the kinds of the registry. Throws a Status. */
export function serveKinds(api: ApiContext): (asked: AskedResource) => Promise<Reply> {
  return async ({ verb, url, ...asked }) => {
    const { group, version, plural } = asked.path
    const definition = api.registry.find(group, version, plural)
    if (!definition) throw unknownPath()
    if (!verb) throw methodNotAllowed()
    return await serveResource(api, { ...asked, verb, definition, query: url.searchParams })
  }
}
