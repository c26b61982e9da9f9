export { createMapperHostModule, type MapperHostOptions } from './module.ts'
export { type ProtocolHostOptions, runProtocolHost } from './protocol-host.ts'
export { defaultSettings, type HostSettings } from './settings.ts'
export { builtInMappers, loadMapper, type MapperSource } from './source.ts'
