import { nameOf, objectAt, withContent, withMetadata } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import { type ApiContext, systemChange } from '../rest/context.ts'
import { createObject } from '../rest/create.ts'
import { CRD_RESOURCE } from '../rest/remove.ts'
import { updateObject } from '../rest/update.ts'

/**
 * Makes the given CustomResourceDefinitions or brings them up to date. Their objects stay, and so do labels, annotations and
 * other definitions that people added, and the conversion that a webhook registered.
 */
export async function installCrds(api: ApiContext, crds: readonly ApiObject[], signal: AbortSignal): Promise<void> {
  await Promise.all(crds.map((crd) => install(api, crd, signal)))
}

async function install(api: ApiContext, crd: ApiObject, signal: AbortSignal): Promise<void> {
  const definition = api.registry.stored(CRD_RESOURCE)
  if (!definition) return
  const change = systemChange(definition, '', signal)
  try {
    await createObject(api, change, crd)
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.reason !== 'AlreadyExists') throw error
    await updateObject(
      api,
      change,
      { name: nameOf(crd), subresource: '' },
      { propose: (current) => merged(current, crd) },
    )
  }
}

function merged(current: ApiObject, crd: ApiObject): ApiObject {
  const both = (field: 'labels' | 'annotations') => {
    const [theirs, ours] = [current.metadata[field], crd.metadata[field]]
    return theirs === undefined && ours === undefined ? undefined : Object.assign({}, theirs, ours)
  }
  const metadata = withMetadata(current, { labels: both('labels'), annotations: both('annotations') })
  const conversion = objectAt(current, 'spec')['conversion']
  return withContent(metadata, { spec: { ...(conversion && { conversion }), ...objectAt(crd, 'spec') } })
}
