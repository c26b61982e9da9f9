export * from './bus/index.ts'
export * from './device/index.ts'
export * from './link/index.ts'
export * from './twin/index.ts'
