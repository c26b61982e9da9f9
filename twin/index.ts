export { createDeviceTwinModule, type DeviceTwinOptions } from './service/device-twin.ts'
export { twinStoreDomain } from './service/twin-store.ts'
