export { type ProtocolHostOptions, runProtocolHost } from './protocol-host.ts'
export { createMapperHostModule, type MapperHostOptions } from './running/module.ts'
export { builtInMappers, loadMapper, type MapperSource } from './running/source.ts'
export { defaultSettings, type HostSettings } from './settings.ts'
