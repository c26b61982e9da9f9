/** What is loaded when the first call of a local service comes. */
export { answerCall } from './frame-calls.ts'
export { serveTunnel } from './serve-tunnel.ts'
export { ServiceCalls } from './service-calls.ts'
