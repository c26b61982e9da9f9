import type { Json } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt, withContent } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { resourceOf } from '../../serving/objects/registry.ts'
import type { Admitter } from '../rest/context.ts'

const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const
const SECONDS = 300

/** Kubernetes' DefaultTolerationSeconds: a pod that says nothing else stays five minutes on a node that is lost. */
export const defaultTolerations: Admitter = {
  async mutate({ operation, definition, subresource, object }) {
    if (operation !== 'CREATE' || subresource !== '' || resourceOf(definition) !== '/pods' || !object) return undefined
    return withTolerations(object)
  },
  async validate() {},
}

function withTolerations(pod: ApiObject): ApiObject {
  const spec = objectAt(pod, 'spec')
  const given = arrayAt(spec, 'tolerations')
  const missing = KEYS.filter((key) => !given.some((each) => isAbout(each, key)))
  if (missing.length === 0) return pod
  const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS }))
  return withContent(pod, { spec: { ...spec, tolerations: [...given, ...added] } })
}

function isAbout(toleration: Json, key: string): boolean {
  if (!isJsonObject(toleration)) return false
  const own = textAt(toleration, 'key')
  const effect = textAt(toleration, 'effect')
  return (own === key || own === '') && (effect === 'NoExecute' || effect === '')
}
