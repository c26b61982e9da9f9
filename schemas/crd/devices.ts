import { DEVICE_GROUP } from '../device/index.ts'
import { defineCrd } from './definition.ts'
import { deviceModelV1alpha2, deviceStatusV1alpha2, deviceV1alpha2 } from './device-v1alpha2.ts'
import { deviceModelV1beta1, deviceStatusV1beta1, deviceV1beta1 } from './device-v1beta1.ts'

const shared = { group: DEVICE_GROUP, scope: 'Namespaced' } as const

export const deviceCrd = defineCrd({ ...shared, kind: 'Device', plural: 'devices', singular: 'device' }, [
  deviceV1beta1,
  deviceV1alpha2,
])

export const deviceModelCrd = defineCrd(
  { ...shared, kind: 'DeviceModel', plural: 'devicemodels', singular: 'devicemodel' },
  [deviceModelV1beta1, deviceModelV1alpha2],
)

export const deviceStatusCrd = defineCrd(
  { ...shared, kind: 'DeviceStatus', plural: 'devicestatuses', singular: 'devicestatus' },
  [deviceStatusV1beta1, deviceStatusV1alpha2],
)
