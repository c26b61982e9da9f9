export * from './tunnels.ts'
