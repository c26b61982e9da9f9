import { type Conflict, DESIRED_POLICIES, DEVICE_STATES, PROPERTY_TYPES } from '../device/index.ts'
import {
  type Attribute,
  type Desired,
  type Intent,
  QUALITIES,
  type Reported,
  type Twin,
  type TwinProperty,
  type Unread,
  type Version,
  type WriteFailure,
} from './twin.ts'

/** Reads a twin back from its JSON text; undefined when it is none. */
export function parseTwin(text: string): Twin | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Damaged text is no twin.
    return undefined
  }
  return isTwin(value) ? value : undefined
}

type Fields = Readonly<Record<string, unknown>>

function isTwin(value: unknown): value is Twin {
  return (
    isObject(value) &&
    isText(value['id']) &&
    isText(value['uid']) &&
    isText(value['description']) &&
    isCount(value['generation']) &&
    isCount(value['revision']) &&
    DEVICE_STATES.some((state) => state === value['state']) &&
    isOptional(value['stateReason'], isText) &&
    isOptional(value['stateCode'], isText) &&
    isOptional(value['stateText'], isText) &&
    isOptional(value['lastOnlineTime'], isText) &&
    isObject(value['properties']) &&
    Object.values(value['properties']).every(isProperty) &&
    isOptional(value['attributes'], (all) => isObject(all) && Object.values(all).every(isAttribute))
  )
}

function isProperty(value: unknown): value is TwinProperty {
  return (
    isObject(value) &&
    isText(value['type']) &&
    isOptional(value['modelType'], (type) => PROPERTY_TYPES.some((each) => each === type)) &&
    isOptional(value['unit'], isText) &&
    isOptional(value['minimum'], isText) &&
    isOptional(value['maximum'], isText) &&
    isFlag(value['declared']) &&
    isFlag(value['optional']) &&
    isFlag(value['writable']) &&
    isOptional(value['timeToLive'], isCount) &&
    isOptional(value['desired'], isDesired) &&
    isOptional(value['reported'], isReported) &&
    isOptional(value['unread'], isUnread) &&
    isOptional(value['intent'], isIntent) &&
    isOptional(value['failure'], isFailure) &&
    isOptional(value['conflict'], isConflict) &&
    isOptional(value['pastConflicts'], (past) => Array.isArray(past) && past.every(isConflict))
  )
}

function isAttribute(value: unknown): value is Attribute {
  return (
    isObject(value) &&
    isText(value['value']) &&
    isFlag(value['optional']) &&
    isText(value['type']) &&
    (value['origin'] === 'label' || value['origin'] === 'cloud')
  )
}

function isDesired(value: unknown): value is Desired {
  return (
    isObject(value) &&
    isText(value['value']) &&
    isCount(value['timestamp']) &&
    isVersion(value['version']) &&
    isSide(value['origin']) &&
    isOptional(value['author'], isText)
  )
}

function isReported(value: unknown): value is Reported {
  return (
    isObject(value) &&
    isText(value['value']) &&
    isCount(value['timestamp']) &&
    isCount(value['sourceTime']) &&
    isVersion(value['version']) &&
    QUALITIES.some((quality) => quality === value['quality']) &&
    isOptional(value['cause'], isText) &&
    isOptional(value['stale'], (stale) => stale === true) &&
    isOptional(value['staleSince'], isCount) &&
    isOptional(value['confirmed'], isCount)
  )
}

function isUnread(value: unknown): value is Unread {
  return isObject(value) && isText(value['cause']) && isCount(value['timestamp'])
}

function isIntent(value: unknown): value is Intent {
  return isObject(value) && isText(value['value']) && isCount(value['generation'])
}

function isFailure(value: unknown): value is WriteFailure {
  return (
    isObject(value) &&
    isText(value['value']) &&
    isText(value['reason']) &&
    isText(value['message']) &&
    isCount(value['timestamp'])
  )
}

/** Whether a value out of JSON is a conflict. */
export function isConflict(value: unknown): value is Conflict {
  return (
    isObject(value) &&
    isText(value['id']) &&
    isSide(value['winner']) &&
    DESIRED_POLICIES.some((policy) => policy === value['policy']) &&
    isWishOf(value['cloud']) &&
    isCount(value['cloud']['generation']) &&
    isWishOf(value['edge'])
  )
}

function isWishOf(value: unknown): value is Fields {
  return isObject(value) && isText(value['value']) && isCount(value['timestamp']) && isText(value['author'])
}

function isSide(value: unknown): boolean {
  return value === 'cloud' || value === 'edge'
}

function isVersion(value: unknown): value is Version {
  return isObject(value) && isCount(value['cloud']) && isCount(value['edge'])
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean'
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isOptional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value)
}
