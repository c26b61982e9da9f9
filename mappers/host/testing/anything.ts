import { Type } from 'typebox'
import { configSchema } from '../../contract/index.ts'

/** Accepts every configuration. */
export const anything = configSchema(Type.Object({}))
