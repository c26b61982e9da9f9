export * from './messages.ts'
export * from './parse-twin.ts'
export * from './requests.ts'
export * from './twin.ts'
