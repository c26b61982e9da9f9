export * from './open-text-line.ts'
export type { TextLine } from './text-line.ts'
