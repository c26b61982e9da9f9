export { type Child, type ChildEnd, type ChildOptions, startChild } from './child.ts'
export type { Line } from './lines.ts'
export { connectParent, type Parent } from './parent.ts'
export { type ApartOptions, runApart } from './run-apart.ts'
