export { convertBuiltin } from './convert-event.ts'
export { BUILTIN_DEFINITIONS } from './definitions.ts'
export { resolveType } from './resolve-type.ts'
export { prepareForCreate, prepareForPart, prepareForUpdate, validateBuiltin } from './rules.ts'
