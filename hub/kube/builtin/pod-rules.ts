import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
} from '../schema/field-error.ts'
import { at, isJsonArray, isJsonObject, isSame } from '../schema/json.ts'
import { dnsLabel } from '../schema/names.ts'

const LISTS = ['initContainers', 'containers'] as const
const CHANGEABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** What the schema of a Pod cannot say: names, mounts of volumes that exist, and what never changes. */
export function podErrors(pod: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const spec = pod['spec']
  if (!isJsonObject(spec)) return [required('spec.containers')]
  if (old) return changeErrors(spec, old['spec'])
  const volumes = volumeNames(spec)
  const containers = LISTS.flatMap((list) =>
    items(spec[list]).map((container, position) => ({ container, path: index(`spec.${list}`, position) })),
  )
  return [
    ...(items(spec['containers']).length === 0 ? [required('spec.containers')] : []),
    ...containers.flatMap(({ container, path }) => containerErrors(container, path, volumes)),
    ...duplicateNames(containers),
    ...volumeErrors(spec),
  ]
}

function containerErrors(container: Json, path: string, volumes: ReadonlySet<Json>): readonly FieldError[] {
  const image = at(container, 'image')
  return [
    ...labelErrors(at(container, 'name'), child(path, 'name')),
    ...(typeof image === 'string' && image.trim() !== '' ? [] : [required(child(path, 'image'))]),
    ...items(at(container, 'volumeMounts')).flatMap((mount, position) => {
      const name = at(mount, 'name')
      if (name === undefined || volumes.has(name)) return []
      const field = child(index(child(path, 'volumeMounts'), position), 'name')
      return [
        { type: 'FieldValueNotFound', field, message: `Not found: ${JSON.stringify(name)}`, badValue: name } as const,
      ]
    }),
  ]
}

function duplicateNames(containers: readonly { readonly container: Json; readonly path: string }[]): FieldError[] {
  const seen = new Set<Json>()
  const errors: FieldError[] = []
  for (const { container, path } of containers) {
    const name = at(container, 'name')
    // Two of one list are found by its schema already.
    if (name !== undefined && seen.has(name) && path.startsWith('spec.containers')) {
      errors.push(duplicate(child(path, 'name'), name))
    }
    if (name !== undefined && !path.startsWith('spec.containers')) seen.add(name)
  }
  return errors
}

function volumeErrors(spec: JsonObject): readonly FieldError[] {
  return items(spec['volumes']).flatMap((volume, position) => {
    const path = index('spec.volumes', position)
    const sources = isJsonObject(volume) ? Object.keys(volume).filter((key) => key !== 'name') : []
    const extra = sources.slice(1).map((key) => forbidden(child(path, key), 'may not specify more than 1 volume type'))
    return [...labelErrors(at(volume, 'name'), child(path, 'name')), ...extra]
  })
}

function labelErrors(name: Json | undefined, field: string): readonly FieldError[] {
  return typeof name === 'string' ? dnsLabel(name).map((text) => invalid(field, name, text)) : []
}

function volumeNames(spec: JsonObject): ReadonlySet<Json> {
  return new Set(items(spec['volumes']).flatMap((volume) => at(volume, 'name') ?? []))
}

/** Images, the deadline and more tolerations may change; a pod that is bound or running keeps all else. */
function changeErrors(spec: JsonObject, old: Json | undefined): readonly FieldError[] {
  if (!isJsonObject(old)) return []
  const policy = spec['restartPolicy']
  if (typeof policy === 'string' && !['Always', 'OnFailure', 'Never'].includes(policy)) {
    return [notSupported('spec.restartPolicy', policy, ['Always', 'OnFailure', 'Never'])]
  }
  const kept = items(old['tolerations']).every((each) =>
    items(spec['tolerations']).some((other) => isSame(at(each, 'key'), at(other, 'key'))),
  )
  const gates = items(old['schedulingGates'])
  const added = items(spec['schedulingGates']).filter((gate) => !gates.some((other) => isSame(gate, other)))
  if (added.length > 0) return [forbidden('spec.schedulingGates', 'only deletion is allowed, but found new gates')]
  if (kept && isSame(fixedPart(spec), fixedPart(old))) return []
  return [forbidden('spec', CHANGEABLE)]
}

function fixedPart(spec: JsonObject): JsonObject {
  const { activeDeadlineSeconds: _, tolerations: __, schedulingGates: ___, ...rest } = spec
  const fixed: Record<string, Json> = { ...rest }
  for (const list of LISTS) {
    if (isJsonArray(spec[list])) fixed[list] = spec[list].map(withoutImage)
  }
  return fixed
}

function withoutImage(container: Json): Json {
  return isJsonObject(container) ? { ...container, image: '' } : container
}

function items(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}
