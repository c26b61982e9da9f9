import { ConfigError } from '../../platform/lifecycle/index.ts'
import type { EdgeConfig } from '../../schemas/config/index.ts'
import { TWIN_LIMITS, type TwinLimits } from '../../twin/index.ts'

/** Of a packet that carries one value: the topic and the JSON around it. */
const ENVELOPE_BYTES = 1024

/** What twins may hold. Throws ConfigError where the broker would refuse the longest value before a twin sees it. */
export function twinLimits({ twins, mqtt }: Pick<EdgeConfig, 'twins' | 'mqtt'>): TwinLimits {
  const { maxValueBytes, names } = twins
  if (maxValueBytes + ENVELOPE_BYTES > mqtt.maxPacketBytes) {
    throw new ConfigError(
      `twins.maxValueBytes is ${maxValueBytes}, but a packet holds ${mqtt.maxPacketBytes} bytes: raise mqtt.maxPacketBytes to ${maxValueBytes + ENVELOPE_BYTES} or more`,
      { code: 'PROCESS_CONFIG_CONFLICT', fields: { pointer: '/twins/maxValueBytes' } },
    )
  }
  // A client may fill a property of its own with one value of that length.
  const freeUnits = Math.max(TWIN_LIMITS.freeUnits, maxValueBytes)
  return { ...TWIN_LIMITS, valueBytes: maxValueBytes, freeUnits, names }
}
