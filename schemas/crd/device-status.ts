import { DESIRED_POLICIES } from '../device/index.ts'
import {
  anything,
  type CrdSchema,
  described,
  flag,
  int64,
  list,
  listMap,
  object,
  oneOf,
  text,
  texts,
} from './schema-parts.ts'

const LEGACY = 'Of KubeEdge 1.19 to 1.22; spec.stateReport goes before it.'
const STATE = described('online, offline, unhealthy or unknown.', text)
const LAST_ONLINE = described('When the device was last reached: RFC 3339, UTC.', text)
const PROPERTY_NAME = described('Name of the property.', text)
const UNIX_MS = 'Unix ms'

/** A desired or reported value. */
export const twinValue: CrdSchema = described(
  'A value as text, with its metadata.',
  object(
    {
      value: described('The value as text, whatever its type.', text),
      metadata: described('What else is known of it, such as its time (timestamp, Unix ms) and type.', texts),
    },
    ['value'],
  ),
)

const condition = object(
  {
    type: described('Accepted, Online, Synced, Agreed or Fresh.', { ...text, maxLength: 316 }),
    status: described('Whether it holds; Unknown where nobody can say.', oneOf('True', 'False', 'Unknown')),
    observedGeneration: described('metadata.generation of the Device that it is about.', { ...int64, minimum: 0 }),
    lastTransitionTime: described('When status last changed.', { ...text, format: 'date-time' }),
    reason: described('Why, in one word for programs.', {
      ...text,
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    message: described('Why, and what to do about it, for people.', { ...text, maxLength: 32768 }),
  },
  ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
)

const statusTwin = object({
  propertyName: PROPERTY_NAME,
  reported: described('What the device said last: a value as text, with its metadata.', twinValue),
  observedDesired: described('What the node wants of the device: a value as text, with its metadata.', twinValue),
})

const statusIntent = object(
  {
    propertyName: PROPERTY_NAME,
    value: described('The desired value.', text),
    generation: described('metadata.generation of the Device when the value was changed.', int64),
    timestamp: described('When it was made, Unix ms.', int64),
    author: described('Field manager who made it.', text),
    seen: described(
      'The wish of the edge that this Device showed then.',
      object({
        edge: described('Number of the wish.', int64),
        timestamp: described(`When the edge took it, ${UNIX_MS}.`, int64),
      }),
    ),
  },
  ['propertyName', 'value', 'generation'],
)

const statusConflict = object(
  {
    propertyName: PROPERTY_NAME,
    id: described('The same for the same conflict, at the edge and in the cloud.', text),
    standing: described('Neither side has wished for anything since.', flag),
    winner: described('Whose value the property was given.', oneOf('cloud', 'edge')),
    policy: described('The rule that decided.', oneOf(...DESIRED_POLICIES)),
    cloud: described(
      'What the cloud wished.',
      object({ ...wish(), generation: described('metadata.generation of the Device with that wish.', int64) }),
    ),
    edge: described('What the edge wished.', object(wish())),
  },
  ['propertyName', 'id'],
)

/** Skerry's status; what KubeEdge up to 1.22 kept there (twins, report switches) stays readable and is not pruned. */
export const statusOfDevice: CrdSchema = described('How the device is, written by Skerry.', {
  ...object({
    observedGeneration: described('metadata.generation of the Device that was last taken up.', int64),
    conditions: described('Accepted, Online, Synced, Agreed and Fresh.', listMap(condition, 'type')),
    state: STATE,
    lastOnlineTime: LAST_ONLINE,
    twins: described(
      'What was reported and desired of each property; the same as in the DeviceStatus.',
      list({ ...statusTwin, 'x-kubernetes-preserve-unknown-fields': true }),
    ),
    intents: described('When, and knowing what, each desired value was set.', listMap(statusIntent, 'propertyName')),
    conflicts: described(
      'Desired values that cloud and edge set without knowing of each other.',
      listMap(statusConflict, 'id'),
    ),
    reportToCloud: described(`Whether the state goes to the cloud. ${LEGACY}`, flag),
    reportCycle: described(`How often the state goes to the cloud, in ms. ${LEGACY}`, int64),
  }),
  'x-kubernetes-preserve-unknown-fields': true,
})

/** `status` of a DeviceStatus. */
export const statusOfDeviceStatus: CrdSchema = described(
  'What the node said last.',
  object({
    twins: described('What was reported and desired of each property.', list(statusTwin)),
    state: STATE,
    lastOnlineTime: LAST_ONLINE,
    extensions: described('Reserved for third parties.', anything),
  }),
)

function wish(): Readonly<Record<string, CrdSchema>> {
  return {
    value: described('The value; a long one is cut.', text),
    timestamp: described(`When, ${UNIX_MS} by the clock of that side.`, int64),
    author: described('Who wished it.', text),
  }
}
