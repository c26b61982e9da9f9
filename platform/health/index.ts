export * from './metrics.ts'
export * from './prometheus.ts'
export * from './serve-health.ts'
