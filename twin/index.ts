export { TWIN_LIMITS, type TwinLimits } from './model/update.ts'
export { createDeviceTwinModule, type DeviceTwinOptions } from './service/device-twin.ts'
export { twinStoreDomain } from './service/twin-store.ts'
