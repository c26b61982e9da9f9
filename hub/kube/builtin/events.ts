import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonObject, textAt } from '../object/access.ts'
import { type FieldError, invalid, required } from '../schema/field-error.ts'
import { at, isSame } from '../schema/json.ts'
import { qualifiedName } from '../schema/names.ts'
import { inCoreForm } from './convert-event.ts'
import type { KindRules } from './kind-rules.ts'

const LONGEST = 128
const LONGEST_MESSAGE = 1024

/** Of core/v1: what clients wrote before there was a form of its own for Events is checked less. */
export const CORE_EVENT_RULES: KindRules = {
  defaults: inCoreForm,
  validate: (event) => commonErrors(event, 'reportingComponent'),
}

export const EVENT_RULES: KindRules = {
  validate: (event, old) => (old ? changeErrors(inCoreForm(event), inCoreForm(old)) : ownErrors(inCoreForm(event))),
}

function ownErrors(event: JsonObject): readonly FieldError[] {
  const type = textAt(event, 'type')
  return [
    ...commonErrors(event, 'reportingController'),
    ...seriesErrors(event),
    ...(isSet(event['eventTime']) ? [] : [required('eventTime')]),
    ...(type === 'Normal' || type === 'Warning' ? [] : [invalid('type', '', `has invalid value: ${type}`)]),
    ...['firstTimestamp', 'lastTimestamp', 'count', 'source'].flatMap((field) =>
      isSet(event[field]) ? [invalid(field, '', 'needs to be unset')] : [],
    ),
  ]
}

const IMMUTABLE = [
  ...['involvedObject', 'reason', 'message', 'firstTimestamp', 'lastTimestamp', 'count', 'type', 'eventTime', 'action'],
  ...['related', 'reportingComponent', 'reportingInstance'],
]

function changeErrors(event: JsonObject, old: JsonObject): readonly FieldError[] {
  return [
    ...commonErrors(event, 'reportingController'),
    ...(isSame(event['series'], old['series']) ? [] : seriesErrors(event)),
    ...IMMUTABLE.filter((field) => !isSame(event[field] ?? null, old[field] ?? null)).map((field) =>
      invalid(
        field === 'reportingComponent' ? 'reportingController' : field,
        event[field] ?? null,
        'field is immutable',
      ),
    ),
  ]
}

/** `controller`: how the field is called that names who reports. */
function commonErrors(event: JsonObject, controller: string): readonly FieldError[] {
  if (!isSet(event['eventTime'])) return placeErrors(event)
  const about = textAt(objectIn(event, 'involvedObject'), 'namespace')
  const own = ownNamespace(event)
  const reporter = textAt(event, 'reportingComponent')
  return [
    ...(about === '' && own !== 'default' && own !== 'kube-system' ? [misplaced(about)] : []),
    ...(reporter === '' ? [required(controller)] : []),
    ...qualifiedName(reporter).map((why) => invalid(controller, reporter, why)),
    ...texts(event, 'reportingInstance'),
    ...texts(event, 'action'),
    ...texts(event, 'reason'),
    ...longest(event, 'message', LONGEST_MESSAGE),
  ]
}

/** An event stands in the namespace of what it is about; about cluster-scoped things, in `default`. */
function placeErrors(event: JsonObject): readonly FieldError[] {
  const about = textAt(objectIn(event, 'involvedObject'), 'namespace')
  const own = ownNamespace(event)
  if (about === own || (about === '' && (own === 'default' || own === 'kube-system'))) return []
  return [misplaced(about)]
}

function misplaced(namespace: string): FieldError {
  return invalid('involvedObject.namespace', namespace, 'does not match event.namespace')
}

function seriesErrors(event: JsonObject): readonly FieldError[] {
  const { series } = event
  if (!isJsonObject(series)) return []
  const { count, lastObservedTime } = series
  return [
    ...(typeof count === 'number' && count >= 2 ? [] : [invalid('series.count', '', 'should be at least 2')]),
    ...(isSet(lastObservedTime) ? [] : [required('series.lastObservedTime')]),
  ]
}

function texts(event: JsonObject, field: string): readonly FieldError[] {
  return textAt(event, field) === '' ? [required(field)] : longest(event, field, LONGEST)
}

function longest(event: JsonObject, field: string, most: number): readonly FieldError[] {
  return textAt(event, field).length > most ? [invalid(field, '', `can have at most ${most} characters`)] : []
}

function ownNamespace(event: JsonObject): string {
  return textAt(objectIn(event, 'metadata'), 'namespace')
}

function objectIn(event: JsonObject, field: string): JsonObject {
  const value = at(event, field)
  return isJsonObject(value) ? value : {}
}

function isSet(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === 0) return false
  return !isJsonObject(value) || Object.values(value).some((part) => part !== '')
}
