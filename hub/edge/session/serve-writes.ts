import type { Bus } from '../../../platform/bus/index.ts'
import { RefusedError, type Scope, SkerryError } from '../../../platform/lifecycle/index.ts'
import { GROUPS, type Json, MODULES, type ObjectWrite, parseResource, writeObject } from '../../../schemas/index.ts'
import type { CloudRequests } from './cloud-requests.ts'
import { objectAnswer } from './object-answer.ts'

/** Carries changes to the cloud that others on the bus ask for: once, now, or not at all. */
export function serveWrites({ bus, cloud }: { readonly bus: Bus; readonly cloud: CloudRequests }, scope: Scope): void {
  scope.use(bus.serve(writeObject, (write) => perform(write, cloud)))
}

async function perform({ operation, resource, content }: ObjectWrite, cloud: CloudRequests): Promise<Json> {
  const path = parseResource(resource)
  if (!path || path.name === '') throw refused(resource, 'BadRequest', 'not of the form <namespace>/<type>/<name>')
  const route = { source: MODULES.edged, group: GROUPS.meta, operation, resource }
  // No cloud answers an Event.
  if (path.type === 'event') {
    await cloud.tell(route, content)
    return 'OK'
  }
  const answer = objectAnswer(await contentOf(() => cloud.ask(route, content), resource))
  if (!answer.ok) throw refused(resource, answer.reason, answer.message)
  return answer.object
}

async function contentOf(ask: () => ReturnType<CloudRequests['ask']>, resource: string): Promise<Json> {
  try {
    return (await ask()).content
  } catch (error) {
    if (error instanceof SkerryError && error.code === 'HUB_REQUEST_FAILED') {
      throw refused(resource, 'Unknown', error.message)
    }
    throw error
  }
}

function refused(resource: string, reason: string, message: string): RefusedError {
  return new RefusedError('The cloud refused the change', {
    code: 'HUB_WRITE_REFUSED',
    fields: { resource, reason, message },
  })
}
