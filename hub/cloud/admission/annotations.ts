import {
  DESIRED_POLICY_ANNOTATION,
  type KubeObject,
  refuseDesiredPolicy,
  refuseTimeToLive,
  TIME_TO_LIVE_ANNOTATION,
} from '../../../schemas/index.ts'
import type { FieldError } from './field-error.ts'

/** Annotations that say something of each property, and what is wrong with a text. */
const SETTINGS = [
  [DESIRED_POLICY_ANNOTATION, refuseDesiredPolicy],
  [TIME_TO_LIVE_ANNOTATION, refuseTimeToLive],
] as const

/** What is wrong with the annotations of a Device or DeviceModel that has these properties. */
export function annotationErrors(
  object: KubeObject,
  properties: readonly { readonly name: string }[],
): readonly FieldError[] {
  const names = properties.map(({ name }) => name)
  return SETTINGS.flatMap(([annotation, refuse]) => {
    const text = object.metadata.annotations?.[annotation]
    const reason = text === undefined ? undefined : refuse(text, names)
    if (text === undefined || reason === undefined) return []
    const shown = text.length > 100 ? `${text.slice(0, 100)}...` : text
    return [
      { field: `metadata.annotations[${annotation}]`, message: `${JSON.stringify(shown)}: the annotation ${reason}` },
    ]
  })
}

/** Those that are judged, as they stand. */
export function settingsOf(object: KubeObject): readonly (string | undefined)[] {
  return SETTINGS.map(([annotation]) => object.metadata.annotations?.[annotation])
}
