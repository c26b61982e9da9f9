import type { AssignedDevice, JsonObject } from '../../schemas/index.ts'
import type { ConformanceProperty } from './subject.ts'

/** The manifests that such properties come from. */
export function assigned(
  mapper: { readonly protocol: string },
  properties: readonly ConformanceProperty[],
  configData: JsonObject,
): AssignedDevice {
  const metadata = { name: 'device', namespace: 'default', uid: 'uid', generation: 1 }
  const apiVersion = 'devices.kubeedge.io/v1beta1'
  return {
    device: {
      apiVersion,
      kind: 'Device',
      metadata,
      spec: {
        protocol: { protocolName: mapper.protocol, configData },
        properties: properties.map(({ visitor }, at) => ({ name: `p${at}`, visitors: { configData: visitor } })),
      },
    },
    model: {
      apiVersion,
      kind: 'DeviceModel',
      metadata,
      spec: {
        properties: properties.map(({ type, accessMode = 'ReadWrite' }, at) => ({ name: `p${at}`, type, accessMode })),
      },
    },
  }
}
