export type { AccessMode, PropertyType, PropertyValue, Quality } from '../../schemas/index.ts'
export * from './config-schema.ts'
export * from './mapper.ts'
