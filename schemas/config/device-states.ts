import { Type } from 'typebox'
import { strict } from './fields.ts'

/** What states and values of devices may cost the Kubernetes API. */
export const DeviceStatesConfig = Type.Object(
  {
    readingInterval: Type.Integer({
      default: 900,
      minimum: 10,
      maximum: 3_600_000,
      description:
        'ms between two writes of values of one device; what comes meanwhile goes with the next. Changes of state do not wait. A little less than the report cycle of the devices, so that no report waits for the one before.',
    }),
    writesPerSecond: Type.Integer({
      default: 1500,
      minimum: 1,
      description:
        'Most writes a second to Device and DeviceStatus, all devices together. The default suits the embedded API. On a cluster that others use, as much as its API server may spare: 50 to 200.',
    }),
    copiesPerSecond: Type.Integer({
      default: 100,
      minimum: 1,
      description:
        'Of them, those that copy values from DeviceStatus, where they are first, to the status of Device. With more devices than this, the copies of values are some seconds old; conditions never are.',
    }),
    writesAtOnce: Type.Integer({
      default: 16,
      minimum: 1,
      maximum: 256,
      description: 'Most writes under way at a time. Fewer after the API server could not answer, until it does again.',
    }),
    eventsPerSecond: Type.Integer({
      default: 10,
      minimum: 1,
      description: 'Most Kubernetes Events of devices a second; repetitions are counted on the Event that is there.',
    }),
  },
  { ...strict, default: {}, description: 'States of devices in the Kubernetes API.' },
)
