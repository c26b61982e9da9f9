export * from './dial-tunnel.ts'
export * from './errors.ts'
export * from './node-tunnel.ts'
export * from './tunnels.ts'
