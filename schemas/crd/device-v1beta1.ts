import { ACCESS_MODES, PROPERTY_TYPES } from '../device/index.ts'
import { AGE, type CrdVersion } from './definition.ts'
import { statusOfDevice, statusOfDeviceStatus, twinValue } from './device-status.ts'
import { pushMethod } from './push-method.ts'
import { anything, described, flag, int64, list, listMap, object, oneOf, root, text } from './schema-parts.ts'

const protocolConfig = object({
  protocolName: described('Protocol; selects the mapper.', text),
  configData: described('What the mapper of the protocol needs to know.', anything),
})

const deviceProperty = object(
  {
    name: described('Name of the property, as in the DeviceModel.', text),
    desired: described('What the property should be. Absent: nobody wishes anything.', twinValue),
    visitors: described('How to reach the property on the device.', protocolConfig),
    reportCycle: described('How often an unchanged value is reported, in ms.', int64),
    collectCycle: described('How often the device is read, in ms.', int64),
    reportToCloud: described('Whether the value goes to the cloud.', flag),
    pushMethod: described(
      'Where a mapper sends the value beside the twin. Kept as it is written: the mappers of Skerry send nothing by it.',
      pushMethod,
    ),
  },
  ['name'],
)

const deviceSpec = object({
  deviceModelRef: described('The DeviceModel, in the same namespace.', {
    ...object({ name: described('Name of the DeviceModel.', { ...text, default: '' }) }),
    'x-kubernetes-map-type': 'atomic',
  }),
  nodeName: described('The edge node that serves the device. Empty: none.', text),
  properties: described('What of the device is read and written.', listMap(deviceProperty, 'name')),
  protocol: described('How to reach the device.', protocolConfig),
  methods: described(
    'What can be called on the device. A call writes its arguments to properties and answers with the values of all of them.',
    list(
      object({
        name: described('Name by which the method is called.', text),
        description: described('What the method does, for people.', text),
        propertyNames: described('The properties that it writes or reads, in this order.', list(text)),
      }),
    ),
  ),
  stateReport: described(
    'Whether and how often (ms) the state goes to the cloud.',
    object({
      reportToCloud: described('Whether the state goes to the cloud.', flag),
      reportCycle: described('How often a state that has not changed is sent, in ms.', int64),
    }),
  ),
})

export const deviceV1beta1: CrdVersion = {
  name: 'v1beta1',
  storage: true,
  status: true,
  columns: [
    { name: 'Node', type: 'string', jsonPath: '.spec.nodeName' },
    { name: 'Protocol', type: 'string', jsonPath: '.spec.protocol.protocolName' },
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Synced', type: 'string', jsonPath: '.status.conditions[?(@.type=="Synced")].status' },
    { name: 'Model', type: 'string', jsonPath: '.spec.deviceModelRef.name', priority: 1 },
    { name: 'Agreed', type: 'string', jsonPath: '.status.conditions[?(@.type=="Agreed")].status', priority: 1 },
    { name: 'Fresh', type: 'string', jsonPath: '.status.conditions[?(@.type=="Fresh")].status', priority: 1 },
    { name: 'Accepted', type: 'string', jsonPath: '.status.conditions[?(@.type=="Accepted")].status', priority: 1 },
    AGE,
  ],
  schema: root('One physical device: which model it is of, how to reach it, and what its properties should be.', {
    spec: described('What the device is, how to reach it and what it should be like.', deviceSpec),
    status: statusOfDevice,
  }),
}

const modelProperty = object(
  {
    name: described('Name of the property; devices use the same.', text),
    description: described('What the property is, for people.', text),
    type: described('Type of its values. In twins each value is text.', oneOf(...PROPERTY_TYPES)),
    accessMode: described('Whether it can be written: only then may it have a desired value.', oneOf(...ACCESS_MODES)),
    minimum: described('Smallest value, as text.', text),
    maximum: described('Largest value, as text.', text),
    unit: described('Unit of its values, for people.', text),
    visitors: described('How to reach the property; keys of the device win.', protocolConfig),
  },
  ['name'],
)

export const deviceModelV1beta1: CrdVersion = {
  name: 'v1beta1',
  storage: true,
  columns: [{ name: 'Protocol', type: 'string', jsonPath: '.spec.protocol' }, AGE],
  schema: root('A type of device: what properties its devices have.', {
    spec: described(
      'What the devices have in common.',
      object({
        protocol: described('Protocol of devices that name none themselves.', text),
        protocolConfigData: described('How to reach devices of this model; keys of the device win.', anything),
        properties: described('The properties that devices of this model may have.', listMap(modelProperty, 'name')),
      }),
    ),
  }),
}

export const deviceStatusV1beta1: CrdVersion = {
  name: 'v1beta1',
  storage: true,
  columns: [
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Last Online', type: 'string', jsonPath: '.status.lastOnlineTime' },
    AGE,
  ],
  schema: root('What a device reported. Same name and namespace as its Device, which owns it.', {
    spec: described('Empty.', { type: 'object' }),
    status: statusOfDeviceStatus,
  }),
}
