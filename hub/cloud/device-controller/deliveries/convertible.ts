import {
  ALPHA_ANNOTATION,
  conversionProblems,
  type Device,
  type DeviceModel,
  type JsonObject,
  type KubeObject,
} from '../../../../schemas/index.ts'

/**
 * Why a device that was written as v1alpha2, or whose model was, means nothing certain as v1beta1. Such a device goes to no node
 * until somebody mends it: half of a configuration could write to the wrong place.
 */
export function notConvertible(device: Device, model: DeviceModel | undefined): string | undefined {
  if (!isFromAlpha(device) && !(model && isFromAlpha(model))) return undefined
  const own = problemsOf('Device', device)
  const inherited = model ? problemsOf('DeviceModel', model) : []
  const texts = [...own, ...inherited.map((problem) => `DeviceModel ${model?.metadata.name}: ${problem}`)]
  return texts.length === 0 ? undefined : `written as v1alpha2, and not to be converted: ${texts.join('; ')}`
}

function problemsOf(kind: 'Device' | 'DeviceModel', object: KubeObject): readonly string[] {
  if (!isFromAlpha(object)) return []
  const json: JsonObject = JSON.parse(JSON.stringify(object))
  return conversionProblems(kind, json)
}

function isFromAlpha({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[ALPHA_ANNOTATION] !== undefined
}

/** Nobody at the edge reads what an object once was, and it may be as big as the object. */
export function withoutOrigin<T extends KubeObject>(object: T): T {
  const { annotations } = object.metadata
  if (annotations?.[ALPHA_ANNOTATION] === undefined) return object
  const { [ALPHA_ANNOTATION]: _origin, ...others } = annotations
  return { ...object, metadata: { ...object.metadata, annotations: others } }
}
