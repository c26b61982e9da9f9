import { DEVICE_GROUP } from '../device.ts'
import type { Json, JsonObject } from '../kubernetes.ts'
import { edited } from './edited.ts'
import { deviceToAlpha, modelToAlpha } from './from-v1beta1.ts'
import { defined, isSame, listIn, objectIn, textIn } from './json.ts'
import { type Alpha, type Beta, deviceToBeta, modelToBeta } from './to-v1beta1.ts'

/** On an object of v1beta1: the whole `{spec, twins}` of v1alpha2 from which it was made. */
export const ALPHA_ANNOTATION = 'skerry.dev/v1alpha2'
/** On an object of v1alpha2: the whole `{spec, status}` of v1beta1 that it shows. */
export const BETA_ANNOTATION = 'skerry.dev/v1beta1'

type Kind = 'Device' | 'DeviceModel'

/**
 * A Device or DeviceModel of v1alpha2 as one of v1beta1. Lossless: what only one of the versions can say goes along in an
 * annotation, and comes back with the way back. Metadata but for that annotation is untouched.
 */
export function toBeta(kind: Kind, object: JsonObject): JsonObject {
  const alpha = alphaOf(object)
  const { kept, metadata } = taken(object, BETA_ANNOTATION)
  const shown = objectIn(kept?.['spec'])
  const status = kept?.['status']
  const told = betaOf(kind, alpha).spec
  // Made from v1beta1: what was edited since is carried over, all else comes back as it was.
  if (shown) {
    const before = fromBeta(kind, shown)
    const isUntouched = isSame(before.spec, alpha.spec) && isSame(before.twins, alpha.twins)
    const spec = isUntouched ? shown : edited(shown, betaOf(kind, before).spec, told)
    return inForm('v1beta1', kind, metadata, { spec, status })
  }
  const original = JSON.stringify(defined({ spec: alpha.spec, twins: alpha.twins }))
  return inForm('v1beta1', kind, annotated(metadata, ALPHA_ANNOTATION, original), { spec: told, status })
}

/** The way back, see `toBeta`. */
export function toAlpha(kind: Kind, object: JsonObject): JsonObject {
  const spec = objectIn(object['spec']) ?? {}
  const { status } = object
  const { kept, metadata } = taken(object, ALPHA_ANNOTATION)
  const original = objectIn(kept?.['spec'])
  const first = original && { spec: original, twins: kept?.['twins'] }
  // An edit of v1beta1 since then wins over what it was made from.
  const isAsMade = first && isSame(betaOf(kind, first).spec, spec)
  const alpha = isAsMade ? first : fromBeta(kind, spec)
  const rest = isAsMade ? defined({ status }) : defined({ spec, status })
  const noted = Object.keys(rest).length > 0 ? annotated(metadata, BETA_ANNOTATION, JSON.stringify(rest)) : metadata
  const twins = reported(listIn(alpha.twins), listIn(objectIn(status)?.['twins']))
  const shown = kind === 'Device' && twins.length > 0 ? { twins } : undefined
  return inForm('v1alpha2', kind, noted, { spec: alpha.spec, status: shown })
}

/**
 * Why an object of v1beta1 that came from v1alpha2 cannot be served as it stands; empty once somebody has mended its spec, and for
 * all others.
 */
export function conversionProblems(kind: Kind, object: JsonObject): readonly string[] {
  const { kept } = taken(object, ALPHA_ANNOTATION)
  const original = objectIn(kept?.['spec'])
  if (!original) return []
  const { spec, problems } = betaOf(kind, { spec: original, twins: kept?.['twins'] })
  return isSame(spec, objectIn(object['spec']) ?? {}) ? problems : []
}

function alphaOf(object: JsonObject): Alpha {
  // What the device reported is not wished for: it comes from the status of v1beta1.
  const twins = listIn(objectIn(object['status'])?.['twins'])
    .filter((twin) => objectIn(twin['desired']))
    .map((twin) => defined({ propertyName: twin['propertyName'], desired: twin['desired'] }))
  return { spec: objectIn(object['spec']) ?? {}, twins: twins.length > 0 ? twins : undefined }
}

function betaOf(kind: Kind, alpha: Alpha): Beta {
  return kind === 'Device' ? deviceToBeta(alpha) : modelToBeta(alpha)
}

function fromBeta(kind: Kind, spec: JsonObject): Alpha {
  return kind === 'Device' ? deviceToAlpha(spec) : { spec: modelToAlpha(spec), twins: undefined }
}

/** Twins of v1alpha2: desired values, and what v1beta1 shows as reported. */
function reported(desired: readonly JsonObject[], twins: readonly JsonObject[]): readonly JsonObject[] {
  const names = new Set(
    [...desired, ...twins.filter((twin) => objectIn(twin['reported']))].map((twin) => twin['propertyName']),
  )
  const named = (list: readonly JsonObject[], name: Json | undefined) =>
    list.find((twin) => twin['propertyName'] === name)
  return [...names].map((propertyName) =>
    defined({
      propertyName,
      desired: named(desired, propertyName)?.['desired'],
      reported: named(twins, propertyName)?.['reported'],
    }),
  )
}

interface Taken {
  /** What the annotation holds; undefined where it is absent or holds no JSON object. */
  readonly kept?: JsonObject
  /** Without the annotation. */
  readonly metadata: JsonObject
}

function taken(object: JsonObject, annotation: string): Taken {
  const metadata = objectIn(object['metadata']) ?? {}
  const annotations = objectIn(metadata['annotations'])
  const text = textIn(annotations?.[annotation])
  if (text === undefined) return { metadata }
  const { [annotation]: _taken, ...others } = annotations ?? {}
  const { annotations: _annotations, ...rest } = metadata
  const kept = parsed(text)
  return {
    ...(kept ? { kept } : {}),
    metadata: Object.keys(others).length > 0 ? { ...rest, annotations: others } : rest,
  }
}

function annotated(metadata: JsonObject, annotation: string, text: string): JsonObject {
  return { ...metadata, annotations: { ...objectIn(metadata['annotations']), [annotation]: text } }
}

function inForm(
  version: 'v1alpha2' | 'v1beta1',
  kind: Kind,
  metadata: JsonObject,
  { spec, status }: { readonly spec: JsonObject; readonly status: Json | undefined },
): JsonObject {
  return defined({ apiVersion: `${DEVICE_GROUP}/${version}`, kind, metadata, spec, status })
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(text)
    return objectIn(value)
  } catch {
    // Somebody edited the annotation by hand.
    return undefined
  }
}
