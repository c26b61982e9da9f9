export * from './dial-tcp.ts'
export * from './open-serial-port.ts'
export * from './settings.ts'
