import type { DeviceConfig } from './device-config.ts'

/** Why two devices cannot be reached over one connection although they name the same one: the key, and what is wrong. */
export function conflict(
  device: DeviceConfig,
  other: DeviceConfig,
): { readonly key: string; readonly message: string } | undefined {
  if (device.mode !== other.mode) {
    return { key: 'mode', message: `is ${device.mode}, but ${other.mode} for other devices on the same connection` }
  }
  if (device.mode !== 'RTU') return undefined
  for (const key of ['baudRate', 'parity', 'stopBits'] as const) {
    const [own, others] = [device.line?.[key], other.line?.[key]]
    if (own !== others) {
      return {
        key,
        message: `is ${own}, but ${others} for other devices on ${device.serialPort}: a line has one setting`,
      }
    }
  }
  return undefined
}
